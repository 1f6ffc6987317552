// A box that scrolls sideways must be reachable with the keyboard: give it a place in the order of the Tab key.
function reach() {
  for (const box of document.querySelectorAll(".table-wrapper, .highlight pre, div.math, .sig, .cell_output .output")) {
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "scrolls sideways");
    } else if (box.getAttribute("aria-label") === "scrolls sideways") {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  }
}
window.addEventListener("load", () => {
  reach();
  window.addEventListener("resize", reach);
  window.MathJax?.startup?.promise?.then(reach);
});
