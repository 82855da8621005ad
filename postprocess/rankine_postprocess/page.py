"""A page of HTML that needs nothing else: pieces of it, and the style they have on screen and on paper."""

import base64
import io
from collections.abc import Iterable
from html import escape

import matplotlib
from matplotlib.figure import Figure

from .style import STYLE

_STYLE = """
:root { --ink: #1d2430; --soft: #5d6675; --line: #e3e6eb; --tint: #f6f7f9; --accent: #0072b2;
        --done: #00795a; --running: #2b87b8; --waiting: #737c8b; --stopped: #9a6700; --lost: #9b4a79; --failed: #b84a00; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 40px 32px 64px; background: #fff; color: var(--ink);
       font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", Arial, sans-serif; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 44px 0 12px; padding-top: 14px; border-top: 1px solid var(--line); }
h3 { font-size: 15px; margin: 20px 0 6px; overflow-wrap: anywhere; }
p { margin: 6px 0; max-width: 78ch; }
.lead, .caption, footer { color: var(--soft); }
.caption { font-size: 13px; }
nav { margin: 14px 0 0; font-size: 14px; }
nav a { color: var(--accent); text-decoration: none; margin-right: 18px; }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; margin: 22px 0 14px; }
.tile { background: var(--tint); border-radius: 8px; padding: 12px 18px; min-width: 112px; }
.tile b { display: block; font-size: 25px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 13px; }
.bar { display: flex; height: 8px; border-radius: 4px; overflow: hidden; background: var(--tint); gap: 1px; }
.done { --state: var(--done); } .running { --state: var(--running); } .waiting { --state: var(--waiting); }
.stopped { --state: var(--stopped); } .lost { --state: var(--lost); } .failed, .unreadable { --state: var(--failed); }
.bar i { background: var(--state); }
.tile.state b, .state-name { color: var(--state); }
.state-name { font-weight: 600; white-space: nowrap; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(460px, 1fr)); gap: 22px 26px; }
figure { margin: 0; break-inside: avoid; }
figure.wide { grid-column: 1 / -1; }
figure img { width: 100%; max-width: 920px; display: block; }
figcaption { font-size: 13px; color: var(--soft); margin-top: 2px; }
figcaption b { display: block; color: var(--ink); font-size: 14px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
table.narrow { width: auto; min-width: 50%; }
table.narrow td:first-child { white-space: nowrap; padding-right: 28px; }
th { text-align: right; font-weight: 600; color: var(--soft); border-bottom: 2px solid var(--line); padding: 5px 10px; vertical-align: bottom; }
td { text-align: right; border-bottom: 1px solid var(--line); padding: 4px 10px; vertical-align: top; }
td.text { overflow-wrap: anywhere; }
table.runs td { white-space: nowrap; }
th.text, td.text { text-align: left; }
td.name, code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; font-size: 12.5px; }
td.name { white-space: nowrap; }
pre { background: var(--tint); border-left: 3px solid var(--state, var(--line)); padding: 10px 14px; font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, monospace;
      white-space: pre-wrap; overflow-wrap: anywhere; margin: 8px 0; border-radius: 0 6px 6px 0; }
.problem { break-inside: avoid; margin-bottom: 22px; }
.message { color: var(--state); font-weight: 600; font-size: 14px; overflow-wrap: anywhere; max-width: none; }
.problem .caption { max-width: none; }
footer { margin-top: 52px; font-size: 13px; border-top: 1px solid var(--line); padding-top: 12px; }
@media (max-width: 560px) { body { padding: 20px 14px; } .figures { grid-template-columns: 1fr; } }
@media print { @page { margin: 14mm; } body { max-width: none; padding: 0; font-size: 10.5pt; } nav { display: none; } h2 { break-after: avoid; margin-top: 28px; }
  .figures { grid-template-columns: 1fr 1fr; } .scroll { overflow: visible; } table { font-size: 8pt; } th, td { padding: 2px 5px; } tr { break-inside: avoid; }
  td.name { white-space: normal; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def page(title: str, body: Iterable[str]) -> str:
    """The whole document."""
    return "\n".join([
        "<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">', '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>", f"<style>{_STYLE}</style>", "</head>", "<body>", *body, "</body>", "</html>", "",
    ])  # fmt: skip


def section(name: str, title: str, *content: str) -> str:
    return "\n".join([f'<section id="{name}">', f"<h2>{escape(title)}</h2>", *content, "</section>"])


def navigation(sections: dict[str, str]) -> str:
    """Links to sections: name -> title."""
    links = "".join(f'<a href="#{name}">{escape(title)}</a>' for name, title in sections.items())
    return f"<nav>{links}</nav>"


def paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{escape(text)}</p>'


def tile(value: str, name: str, state: str = "") -> str:
    kind = f"tile state {state}" if state else "tile"
    return f'<div class="{kind}"><b>{escape(value)}</b><span>{escape(name)}</span></div>'


def bar(parts: dict[str, int]) -> str:
    """How many of each state, as lengths."""
    pieces = "".join(f'<i class="{state}" style="flex: {number}" title="{number} {state}"></i>' for state, number in parts.items())
    return f'<div class="bar">{pieces}</div>'


def state_name(state: str) -> str:
    return f'<span class="state-name {state}">{escape(state)}</span>'


def table(titles: list[str], rows: list[list[str]], *, text: Iterable[int] = (), names: Iterable[int] = (), kind: str = "") -> str:
    """Cells are HTML already; columns in `text` begin at the left, those in `names` are identifiers."""
    text, names = set(text) | set(names), set(names)
    classes = [" ".join(["text"] * (place in text) + ["name"] * (place in names)) for place in range(len(titles))]
    head = "".join(f'<th class="{look}">{escape(title)}</th>' for look, title in zip(classes, titles))
    body = "\n".join("<tr>" + "".join(f'<td class="{look}">{cell}</td>' for look, cell in zip(classes, row)) + "</tr>" for row in rows)
    return f'<div class="scroll"><table class="{kind}"><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def picture(figure: Figure, title: str, caption: str, *, wide: bool = False) -> str:
    """A figure as SVG within the page."""
    file = io.BytesIO()
    with matplotlib.rc_context(STYLE | {"svg.hashsalt": "rankine"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    source = base64.b64encode(file.getvalue()).decode("ascii")
    image = f'<img alt="{escape(title)}" src="data:image/svg+xml;base64,{source}">'
    look = "wide" if wide else ""
    return f'<figure class="{look}">{image}<figcaption><b>{escape(title)}</b>{escape(caption)}</figcaption></figure>'


def preformatted(lines: list[str], state: str = "") -> str:
    return f'<pre class="{state}">{escape(chr(10).join(lines))}</pre>'
