"""`assay init`: a project file to start from."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("init")
@click.argument("logs", nargs=-1, required=True, metavar="LOGS...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the file here, with paths relative to it; standard output where left out.",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def init_command(logs: tuple[str, ...], output: Path | None, *, force: bool) -> None:
    """Read some logs and propose an assay.toml with a comment on each guess.

    LOGS are files, globs or folders: predictions, and their labels and reference if there are any.
    """
    from analytics.errors import ProjectError
    from analytics.telemetry.propose import propose
    from app.commands.common import say

    if output is not None and output.exists() and not force:
        raise ProjectError(f"{output}: exists already; name another file, or replace it with --force")
    proposal = propose(logs, output.parent if output is not None else Path.cwd())
    for note in proposal.notes:
        say(note)
    if output is None:
        click.echo(proposal.text, nl=False)
        return
    try:
        output.write_text(proposal.text, encoding="utf-8")
    except OSError as error:
        raise ProjectError(f"{output}: cannot be written ({error.strerror})") from error
    say(f"wrote {output}; look through it, then: assay telemetry {output}")
