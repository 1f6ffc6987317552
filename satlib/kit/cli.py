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
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        named = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
        _say(f"satlib: {' '.join(text.split())}{named}")
        raise typer.Exit(1) from None


def _say(text: str) -> None:
    typer.echo(text, err=True)


@app.command()
def run(
    lessons: Annotated[
        list[str] | None, typer.Argument(help="Number, name or part of it; all if none.")
    ] = None,
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
    parameter: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="Another parameter.")
    ] = None,
) -> None:
    """Run lessons in course order and write the report; what did not change is not run again."""
    with door("interrupted; the lessons that ended are kept, the same command goes on from there"):
        from satlib.kit import runner

        pairs = [text.partition("=") for text in parameter or []]
        for name, equals, _ in pairs:
            if not (name and equals):
                raise ValueError(f"-p {name!r} is not of the form name=value, as in -p seed=1")
        results = runner.run(
            lessons or [],
            dataset=dataset,
            data_dir=data_dir,
            profile=profile,
            seed=seed,
            runs=runs,
            output=output,
            parameters={name: value for name, _, value in pairs},
            say=_progress,
        )
        print(f"report: {output / 'index.html'}")
    if any(result.status in ("failed", "skipped") for result in results):
        raise typer.Exit(1)


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
    with door():
        from satlib.data import inspection

        inspection.tell(dataset, inspection.findings(dataset, data_dir, parts_rule), _progress)


@data_app.command("list")
def data_list() -> None:
    """Name the data sets, with task, licence and origin."""
    with door():
        from satlib.data.registry import REGISTRY

        for name, corpus in REGISTRY.items():
            print(
                f"{name:<22}{corpus.title}; {corpus.task}; licence: {corpus.licence}; {corpus.origin}"
            )


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
def notebooks() -> None:
    """Run every lesson anew; rewrite the committed outputs, the embedded run records and the
    README's tables."""
    with door("interrupted; nothing was rewritten"):
        from satlib.kit import readme, stored_notebooks

        if not stored_notebooks.rewrite(say=_progress):
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

        print("\n".join(setup_cells.write()) or "every badge and set-up cell is as it should be")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open JupyterLab on the lessons; further options go to JupyterLab."""
    with door():
        import subprocess

        from satlib import runtime
        from satlib.kit import kernels

        folder = _own_lessons()
        with kernels.own(runtime.cache_folder()):
            os.environ.pop("SATLIB_QUIET")
            command = [
                sys.executable,
                "-m",
                "jupyterlab",
                f"--ServerApp.root_dir={folder}",
                *context.args,
            ]
            code = subprocess.call(command)
    raise typer.Exit(code)


def _own_lessons() -> Path:
    """The lessons of a checkout; of an installed satlib a copy in the current folder, which is
    never overwritten."""
    from satlib import runtime

    source, copy = runtime.notebooks_folder(), Path.cwd() / "satlib-lessons"
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

        found = doctor.examine()
        print(doctor.told(found, as_json))
    if any(one.level == doctor.PROBLEM for one in found):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the command ``satlib``."""
    app()


if __name__ == "__main__":
    main()
