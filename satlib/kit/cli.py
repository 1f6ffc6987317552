"""The command ``satlib``: run the lessons, look after the data, open the lab.

What a command needs is imported when it runs, so ``satlib --help`` is quick. A wrong value ends
with one sentence and exit status 1 (``SATLIB_DEBUG=1`` shows the traceback), wrong usage with
status 2, Ctrl-C with 130.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Learn to predict user satisfaction by fine-tuning a pretrained language model.",
)
data_app = typer.Typer(no_args_is_help=True, help="List, download and simulate the data sets.")
app.add_typer(data_app, name="data")


JOBS = typer.Option(help="Lessons run side by side; default: one a core, as memory lasts.")


@contextmanager
def door(interrupted: str = "interrupted") -> Iterator[None]:
    """Turn the errors that a user can mend into one sentence on stderr and an exit status."""
    try:
        yield
    except KeyboardInterrupt:
        _say(f"\n{interrupted}")
        raise typer.Exit(130) from None
    except (ValueError, OSError) as error:
        if os.environ.get("SATLIB_DEBUG"):
            raise
        _say(f"satlib: {_sentence(error)}")
        raise typer.Exit(1) from None


def _sentence(error: ValueError | OSError) -> str:
    """What an error says, in one line; one of the system with the name of its file."""
    text = str(error)
    file = ""
    if isinstance(error, OSError):
        text = error.strerror or text
        if error.filename:
            file = f" ({error.filename})"
    return " ".join(text.split()) + file


def _say(text: str) -> None:
    typer.echo(text, err=True)


LESSONS = Annotated[
    list[str] | None, typer.Argument(help="Number, name or part of it; all if none.")
]


@app.command()
def run(
    lessons: LESSONS = None,
    dataset: Annotated[
        str, typer.Option(help="Data set; `satlib data list` names them.")
    ] = "satsim",
    data_dir: Annotated[str, typer.Option(help="Folder that holds the corpora.")] = "",
    profile: Annotated[
        str, typer.Option(help="fast, or full, with the parameters of full/*.yaml.")
    ] = "fast",
    output: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("build/report"),
    runs: Annotated[
        str, typer.Option(help="Folder of the run records; default: runs in the output folder.")
    ] = "",
    seed: Annotated[int | None, typer.Option(help="Seed; default: each lesson's own.")] = None,
    jobs: Annotated[int | None, JOBS] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="Another parameter.")
    ] = None,
) -> None:
    """Run lessons and write the report; what did not change is not run again."""
    with door("interrupted; the lessons that ended are kept, the same command goes on from there"):
        from satlib.kit import runner

        results = runner.run(
            lessons or [],
            dataset=dataset,
            data_dir=data_dir,
            profile=profile,
            seed=seed,
            runs=runs,
            output=output,
            parameters=_named(parameter or []),
            jobs=jobs,
            say=_progress,
        )
        print(f"report: {output / 'index.html'}")
    if any(result.status in ("failed", "skipped") for result in results):
        raise typer.Exit(1)


def _named(texts: list[str]) -> dict[str, str]:
    """Name -> value of texts ``name=value``."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise ValueError(f"-p {name!r} is not of the form name=value, as in -p seed=1")
        values[name] = value
    return values


def _progress(text: str, **options) -> None:
    print(text, **options)


@app.command()
def check(
    dataset: Annotated[
        str, typer.Option(help="Data set; `satlib data list` names them.")
    ] = "satsim",
    data_dir: Annotated[str, typer.Option(help="Folder that holds the corpora.")] = "",
    parts_rule: Annotated[
        str, typer.Option(help="Cut by this rule; default: the data set's own.")
    ] = "",
) -> None:
    """Look a data set over for leaks: copies, columns that know the rating, histories from the
    future."""
    with door():  # a ValueError becomes one sentence on stderr and exit status 1
        from satlib.data import inspection

        leaks = inspection.findings(dataset, data_dir, parts_rule)
        # Raises ValueError where a leak is bad enough for the data set to be refused.
        inspection.tell(dataset, leaks, _progress)


@data_app.command("list")
def data_list() -> None:
    """Name the data sets, with task, licence and origin."""
    with door():
        from satlib.data.registry import REGISTRY

        for name, corpus in REGISTRY.items():
            about = (corpus.title, corpus.task, f"licence: {corpus.licence}", corpus.origin)
            print(f"{name:<22}{'; '.join(about)}")


@data_app.command("fetch")
def data_fetch(
    name: Annotated[str, typer.Argument(help="Data set; `satlib data list` names them.")],
    data_dir: Annotated[str, typer.Option(help="Folder to look in first.")] = "",
) -> None:
    """Say where a data set lies; download it into the cache, verified, where it is missing."""
    with door("interrupted; the same command goes on with the download"):
        from satlib.data import corpora

        for file, path in corpora.find(name, data_dir).items():
            print(f"{file}: {path}")


@data_app.command("simulate")
def data_simulate(
    seed: Annotated[int, typer.Option(help="Seed; 0 makes the embedded data set bit for bit.")] = 0,
    output: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("build/satsim"),
) -> None:
    """Simulate the data set satsim anew."""
    with door():
        from satlib.data.satsim import simulation

        simulation.write(output, seed)
        print(f"wrote {output}")


@app.command()
def notebooks(
    lessons: LESSONS = None,
    jobs: Annotated[int | None, JOBS] = None,
) -> None:
    """Run lessons anew, and those whose records they read; rewrite their committed outputs, the
    embedded run records and the README's tables."""
    with door("interrupted; nothing was rewritten"):
        from satlib.kit import readme, stored_notebooks

        if not stored_notebooks.rewrite(jobs, _progress, lessons or ()):
            raise ValueError(
                "not every lesson passed, so nothing was rewritten; mend the ones named above"
            )
        readme.write()


@app.command()
def badges() -> None:
    """Write the Colab badge and the set-up cell into every lesson, from the address in
    pyproject.toml."""
    with door():
        from satlib.kit import setup_cells

        changed = setup_cells.write()
        if not changed:
            changed = ["every badge and set-up cell is as it should be"]
        print("\n".join(changed))


@app.command()
def lesson(
    stem: Annotated[str, typer.Argument(help="Number, folder, module: 71_practice_adapters.")],
) -> None:
    """Write the skeleton of a lesson: notebook, module, test and exercise file (in a checkout)."""
    with door():
        from satlib.kit import lesson_skeleton

        for path in lesson_skeleton.write(stem):
            print(f"wrote {path}")
        print("CONTRIBUTING.md says what comes next")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open JupyterLab on the lessons; further options go to JupyterLab."""
    with door():
        import subprocess

        from satlib import runtime
        from satlib.kit import kernels

        folder = own_lessons()
        with kernels.own(runtime.cache_folder()):
            os.environ.pop("SATLIB_QUIET")  # who works in the lab wants to see the bars
            lab_here = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
            code = subprocess.call([*lab_here, *context.args])
    raise typer.Exit(code)


def own_lessons() -> Path:
    """The lessons of a checkout; of an installed satlib a copy in the current folder, which is
    never overwritten."""
    from satlib import runtime

    source = runtime.notebooks_folder()
    copy = Path.cwd() / "satlib-lessons"
    if source.parent != runtime.PACKAGE:
        return source
    if not copy.exists():
        copy.mkdir()
        for path in source.glob("*.ipynb"):  # the text alone: what is installed may be read-only
            (copy / path.name).write_bytes(path.read_bytes())
    return copy


@app.command()
def versions() -> None:
    """Print what to state in a report of a fault: versions, machine, precision, way of
    installation."""
    with door():
        from satlib.kit import packages

        for name, value in packages.report().items():
            print(f"{name:<22}{value}")


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check Python, packages, memory, disk, device, encoder, data and kernel; say what to do about
    each problem."""
    with door():
        from satlib.kit import doctor

        findings = doctor.examine()
        print(doctor.text_of(findings, as_json))
    if any(finding.level == doctor.PROBLEM for finding in findings):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the command ``satlib``."""
    app()


if __name__ == "__main__":
    main()
