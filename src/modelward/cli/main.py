"""`modelward`: the table of commands, each loaded when it is called."""

import json
import sys
import traceback
from importlib import import_module

import click

from modelward.kernel.errors import Invalid, ModelwardError

# name: (module, attribute, the line shown in the help)
COMMANDS = {
    "alert": ("modelward.cli.alert", "alert", "List, acknowledge and close alerts."),
    "analyze": ("modelward.cli.analyze", "analyze", "Do what an analysis_config.json asks: bias metrics in a file."),
    "audit": ("modelward.cli.audit", "audit", "Read the event log and verify that it is whole."),
    "aws": ("modelward.cli.aws", "aws", "Let AWS clients use Modelward: a profile, or a proxy."),
    "baseline": ("modelward.cli.baseline", "baseline", "Describe a table and suggest what it must keep, as files."),
    "blobs": ("modelward.cli.blobs", "blobs", "Count and delete stored bytes that nothing refers to."),
    "card": ("modelward.cli.card", "card", "Make, show, edit, apply, check and export model cards."),
    "check": ("modelward.cli.check", "check", "Check a table against the files of a baseline."),
    "demo": ("modelward.cli.demo.command", "demo", "Show a governed model from registration to alert, on real data."),
    "doctor": ("modelward.cli.doctor", "doctor", "Say what is wrong here and how to mend it."),
    "endpoint": ("modelward.cli.endpoint", "endpoint", "List and show endpoints."),
    "key": ("modelward.cli.key", "key", "Make, list and revoke key pairs for AWS clients."),
    "model": ("modelward.cli.model", "model", "List, show and register models."),
    "monitor": ("modelward.cli.monitor", "monitor", "List, show, create and run monitors."),
    "quality": ("modelward.cli.quality", "quality", "Measure predictions against labels, as files."),
    "review": ("modelward.cli.review", "review", "List, show, approve and reject reviews."),
    "serve": ("modelward.cli.serve", "serve", "Serve the pages and the API."),
    "version": ("modelward.cli.version", "version", "Print the version."),
    "watch": ("modelward.cli.watch", "watch", "Profile a table and show its drift, with no server at all."),
    "webhook": ("modelward.cli.webhook", "webhook", "Send events to addresses outside, and see what was delivered."),
    "worker": ("modelward.cli.serve", "worker", "Run jobs only (PostgreSQL)."),
}
EXIT_REFUSED = 3
EXIT_STOPPED = 130


class Commands(click.Group):
    """A group whose commands are imported only when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help from the table, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in sorted(COMMANDS)])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def modelward() -> None:
    """Model governance: what is it, who approved it on what evidence, where does it run, is it still behaving?"""


def main() -> None:
    """Run the command line; an error is told in a sentence, without a traceback, and exits with 3, as a fault of ours does.

    Where JSON was asked for, the error is JSON on standard output.
    """
    try:
        sys.exit(modelward(prog_name="modelward", standalone_mode=False))
    except ModelwardError as problem:
        tell(problem)
    except click.ClickException as problem:
        # Not with click's 2, which says "undecided" here.
        tell(_in_our_words(problem))
    except (click.Abort, KeyboardInterrupt):
        click.echo("modelward: stopped.", err=True)
        sys.exit(EXIT_STOPPED)
    except Exception:  # noqa: BLE001 - shown, and ended with the code for it
        # Python's own 1 says here that something was found: drift, a violation.
        traceback.print_exc()
    sys.exit(EXIT_REFUSED)


def tell(problem: ModelwardError) -> None:
    """Tell of an error: what is wrong and why, where, and what to do next."""
    if "--json" not in sys.argv[1:]:
        click.echo(f"modelward: {problem}", err=True)
        return
    told = {"code": problem.code, "message": problem.message, "field": problem.field, "hint": problem.hint}
    click.echo(json.dumps({"error": {name: value for name, value in told.items() if value}}))


def _in_our_words(problem: click.ClickException) -> ModelwardError:
    """What click has to say of a command that was typed wrongly, as an error of ours."""
    context = problem.ctx if isinstance(problem, click.UsageError) else None
    parameter = problem.param if isinstance(problem, click.BadParameter) else None
    if isinstance(problem, click.NoSuchOption):
        field: str | None = problem.option_name
    else:
        field = max(parameter.opts, key=len) if isinstance(parameter, click.Option) else None
    message = " ".join(problem.format_message().split())
    return Invalid(message, field=field, hint=f"See `{context.command_path} --help`." if context else None)


if __name__ == "__main__":
    main()
