"""The page of `modelward watch`: one HTML file with its charts inside, nothing fetched, every text escaped."""

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from modelward.cli.seen import Seen, chance, moment, told

if TYPE_CHECKING:
    from modelward.analysis import CheckReport, ColumnProfile, DriftVerdict
    from modelward.analysis.pictures import Picture

WIDTH, HEIGHT = 320, 110
LABELS_SHOWN_MAX = 12

STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5a6575;--page:#f6f7f9;--card:#fff;--line:#dde2e9;--before:#7b8797;
--now:#1f66c7;--bad:#b3261e;--good:#1b6e3c;--open:#8a5a00}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebf0;--dim:#a3adba;--page:#12161c;--card:#1b2129;--line:#313a46;
--before:#8b97a7;--now:#6fa8f5;--bad:#ff8a80;--good:#7bd39b;--open:#f0c060}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:72rem;margin:0 auto;padding:1rem}h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem}
h3{font-size:1rem;margin:0 0 .25rem;overflow-wrap:anywhere}p{margin:.25rem 0}.dim{color:var(--dim)}
.verdict{border-left:.5rem solid var(--tone);background:var(--card);padding:1rem;border-radius:.5rem}
.verdict strong{color:var(--tone);font-size:1.25rem}.failed{--tone:var(--bad)}.passed{--tone:var(--good)}
.undecided{--tone:var(--open)}.none{--tone:var(--now)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:1rem;padding:0;list-style:none}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;min-width:0}
.badge{color:var(--tone);font-weight:600}svg{width:100%;height:auto;display:block}
.before{fill:var(--before)}.now{fill:var(--now)}.axis{stroke:var(--line)}svg text{fill:var(--dim);font-size:11px}
.budget{max-width:20rem}.budget polyline{fill:none;stroke-width:2;stroke:var(--now)}
.budget .allowed{stroke:var(--dim);stroke-dasharray:5 4;stroke-width:1.5}
.key span{display:inline-block;width:.8rem;height:.8rem;border-radius:.15rem;margin:0 .3rem 0 1rem;vertical-align:-.05rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;background:var(--card);font-size:.9rem}
caption{text-align:left;padding:.25rem 0;color:var(--dim)}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}th{font-weight:600}
td.text,th[scope=row]{overflow-wrap:anywhere;max-width:24rem}summary{cursor:pointer;padding:.5rem 0}
:focus-visible{outline:3px solid var(--now);outline-offset:2px}
"""


def page(seen: Seen) -> str:
    """The whole page as HTML."""
    report = seen.report
    body = [_head(seen), *([_drift(seen, report), _violations(report)] if report else [])]
    body += [_columns(seen), _rules(seen), *([_unchecked(report)] if report else []), _notes(seen)]
    title = f"Watch: {_name(seen.data)}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{''.join(body)}</main></body></html>\n"
    )


def _name(path: str) -> str:
    return path.rstrip("/").rsplit("/", 1)[-1]


def _head(seen: Seen) -> str:
    report = seen.report
    tone = report.outcome.value if report else "none"
    word = {"passed": "Kept", "failed": "Not kept", "undecided": "Undecided", "none": "Profile only"}[tone]
    reason = report.reason if report else "No reference and no constraints were given, so nothing was judged."
    against = f" against {escape(_name(seen.reference))}" if seen.reference else ""
    rows = f"{seen.current.rows:,} rows, {len(seen.current.columns)} columns"
    before = f"; reference: {seen.baseline.rows:,} rows" if seen.baseline else ""
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"<h1>{escape(_name(seen.data))}{against}</h1>"
        f'<div class="verdict {tone}"><strong>{word}</strong><p>{escape(reason)}</p>'
        f'<p class="dim">{rows}{before}; made {made}</p>{_budget(report)}</div>'
    )


def _budget(report: "CheckReport | None") -> str:
    """What chance may have to do with it; where runs are counted, how they spent."""
    if report is None or report.budget is None:
        return ""
    told = f'<p class="dim">{escape(report.budget.sentence)}</p>'
    past = report.budget.past
    if len(past) < 2:
        return told
    top = max(max(pair) for pair in past)
    lines = [
        " ".join(
            f"{4 + place * 312 / (len(past) - 1):.1f},{52 - 46 * pair[side] / top:.1f}"
            for place, pair in enumerate(past)
        )
        for side in (0, 1)
    ]
    return (
        f'{told}<svg class="budget" viewBox="0 0 320 56" role="img" aria-label="Spent over the last {len(past)} runs">'
        f'<polyline class="allowed" points="{lines[1]}"/><polyline class="spent" points="{lines[0]}"/></svg>'
        '<p class="dim">Solid: what the runs spent. Dashed: what they may spend.</p>'
    )


def _drift(seen: Seen, report: "CheckReport") -> str:
    if not report.drift:
        return ""
    order = {"failed": 0, "undecided": 1, "passed": 2}
    ranked = sorted(report.drift, key=lambda v: (order[v.outcome.value], -(v.effect or 0) / v.threshold))
    failed = [verdict for verdict in ranked if verdict.outcome.value == "failed"]
    others = [verdict for verdict in ranked if verdict.outcome.value != "failed"]
    key = (
        '<p class="key dim">Share of the rows:<span style="background:var(--before)"></span>reference'
        '<span style="background:var(--now)"></span>current</p>'
    )
    cards = "".join(_drift_card(seen, verdict) for verdict in failed)
    shown = f'{key}<ul class="cards">{cards}</ul>' if failed else "<p>No column drifted.</p>"
    rest = "".join(_drift_card(seen, verdict) for verdict in others)
    more = (
        f'<details><summary>The other {len(others)} columns compared</summary><ul class="cards">{rest}</ul></details>'
    )
    return f"<h2>Drift: {len(failed)} of {len(ranked)} columns</h2>{shown}{more if others else ''}"


def _drift_card(seen: Seen, verdict: "DriftVerdict") -> str:
    from modelward.analysis.pictures import picture

    now = seen.current.columns[verdict.column]
    before = seen.baseline.columns.get(verdict.column) if seen.baseline else None
    drawn = picture(now, before)
    word = {"failed": "drifted", "passed": "kept", "undecided": "undecided"}[verdict.outcome.value]
    figures = ""
    if verdict.distance is not None and verdict.p_value is not None:
        title = {"ks": "Kolmogorov-Smirnov", "wasserstein": "Wasserstein / sd", "js": "Jensen-Shannon"}
        figures = (
            f"<p>{title.get(verdict.measure, verdict.measure)} {verdict.distance:.3f}, "
            f"threshold {verdict.threshold:g}, chance {chance(verdict.p_value)}</p>"
        )
    return (
        f'<li class="card {verdict.outcome.value}"><h3>{escape(verdict.column)} <span class="badge">{word}</span></h3>'
        f'{figures}{chart(drawn, verdict.column) if drawn else ""}<p class="dim">{escape(verdict.reason)}</p></li>'
    )


def chart(drawn: "Picture", name: str) -> str:
    """Two rows of bars side by side as an SVG with a text for those who cannot see it."""
    count = max(1, len(drawn.labels) if drawn.ordered else min(len(drawn.labels), LABELS_SHOWN_MAX))
    step = WIDTH / count
    highest = max((*drawn.baseline[:count], *drawn.current[:count], 1e-12))
    both = bool(drawn.baseline)
    bar = step * (0.42 if both else 0.84)
    marks = []
    for place in range(min(count, len(drawn.labels))):
        left = place * step + step * 0.08
        sides = [("before", drawn.baseline, left), ("now", drawn.current, left + (bar if both else 0))]
        for side, shares, x in sides:
            if not shares or shares[place] <= 0:
                continue
            tall = max(1.0, shares[place] / highest * (HEIGHT - 20))
            tip = f"<title>{escape(drawn.labels[place])}: {shares[place]:.1%}</title>"
            top = HEIGHT - 14 - tall
            marks.append(
                f'<rect class="{side}" x="{x:.1f}" y="{top:.1f}" width="{bar:.1f}" height="{tall:.1f}">{tip}</rect>'
            )
    first, last = drawn.labels[0], drawn.labels[count - 1]
    if drawn.ordered:
        first, last = first.split(" to ")[0], last.split(" to ")[-1]
    ends = (
        f'<text x="0" y="{HEIGHT - 2}">{escape(first[:20])}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 2}" text-anchor="end">{escape(last[:20])}</text>'
    )
    line = f'<line class="axis" x1="0" x2="{WIDTH}" y1="{HEIGHT - 14}" y2="{HEIGHT - 14}"/>'
    said = escape(f"Distribution of {name}: {_in_words(drawn)}")
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">{line}{"".join(marks)}{ends}</svg>'


def _in_words(drawn: "Picture") -> str:
    if not drawn.baseline:
        most = max(range(len(drawn.labels)), key=lambda place: drawn.current[place])
        return f"most rows ({drawn.current[most]:.0%}) at {drawn.labels[most]}"
    moved = max(range(len(drawn.labels)), key=lambda place: abs(drawn.current[place] - drawn.baseline[place]))
    return (
        f"the largest change is at {drawn.labels[moved]}, "
        f"from {drawn.baseline[moved]:.1%} to {drawn.current[moved]:.1%} of the rows"
    )


def _violations(report: "CheckReport") -> str:
    if not report.violations:
        return "<h2>Violations</h2><p>None.</p>"
    rows = "".join(
        f'<tr><th scope="row">{escape(one.column)}</th><td>{escape(one.check.replace("_", " "))}</td>'
        f'<td class="text">{escape(one.description)}</td></tr>'
        for one in report.violations
    )
    head = '<th scope="col">Column</th><th scope="col">Check</th><th scope="col">What was seen</th>'
    return _table(f"Violations ({len(report.violations)})", "Rules that the data breaks", head, rows)


def _table(heading: str, caption: str, head: str, rows: str) -> str:
    return (
        f'<h2>{escape(heading)}</h2><div class="scroll" tabindex="0" role="region" aria-label="{escape(heading)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _columns(seen: Seen) -> str:
    heads = ("Kind", "Present", "Missing", "Distinct", "Mean", "sd", "Minimum", "Median", "Maximum", "Most frequent")
    head = '<th scope="col">Column</th>' + "".join(
        f'<th scope="col" class="{"" if name in ("Kind", "Most frequent") else "n"}">{name}</th>' for name in heads
    )
    rows = "".join(_column_row(column) for column in seen.current.columns.values())
    return _table("Columns", "What the data holds, column by column", head, rows)


def _column_row(column: "ColumnProfile") -> str:
    show = moment if column.kind.value == "timestamp" else (lambda value: f"{value:.4g}")
    figures = (column.mean, column.sd, column.minimum, column.quantile(0.5), column.maximum)
    numbers = ["" if value is None else show(value) for value in figures]
    if column.kind.value == "timestamp":
        numbers[1] = ""
    distinct = "" if column.distinct is None else f"{'' if column.distinct_exact else 'about '}{column.distinct:,}"
    cells = [f"{column.completeness:.1%}" if column.completeness is not None else "", f"{column.missing:,}", distinct]
    top = ""
    if column.categories is not None and column.present:
        top = ", ".join(f"{text[:30]} ({count / column.present:.0%})" for text, count in column.categories.top(3))
    return (
        f'<tr><th scope="row">{escape(column.name)}</th><td>{column.kind.value}</td>'
        + "".join(f'<td class="n">{escape(cell)}</td>' for cell in [*cells, *numbers])
        + f'<td class="text">{escape(top)}</td></tr>'
    )


def _rules(seen: Seen) -> str:
    title = "Constraints in use" if seen.report else "Suggested constraints"
    head = '<th scope="col">Column</th><th scope="col">Rules</th>'
    rows = "".join(
        f'<tr><th scope="row">{escape(rule.name)}</th><td class="text">{escape(told(rule))}</td></tr>'
        for rule in seen.rules.columns
    )
    return _table(title, "What a column must keep", head, rows)


def _unchecked(report: "CheckReport") -> str:
    if not report.unchecked:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(item.column or "all columns")}</th><td>{escape(item.check)}</td>'
        f'<td class="text">{escape(item.reason)}</td></tr>'
        for item in report.unchecked
    )
    head = '<th scope="col">Column</th><th scope="col">Check</th><th scope="col">Why not</th>'
    return _table(f"Not checked ({len(report.unchecked)})", "Checks that were not made, and why", head, rows)


def _notes(seen: Seen) -> str:
    notes = list(dict.fromkeys([*seen.current.notes, *(seen.baseline.notes if seen.baseline else ())]))
    if not notes:
        return ""
    return "<h2>Notes</h2><ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>"
