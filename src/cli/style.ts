/**
 * The style sheet of the HTML report: light and dark, screen and paper (what is open is printed). The level colours
 * keep 4.5:1 contrast and stay apart under the common colour-vision deficiencies, see tests/unit/cli-palette.test.ts;
 * shape and word say the level besides.
 */

export const reportStyle = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #ffffff; --well: #f6f7f9; --line: #d9dee5; --text: #1a2230; --soft: #556172; --accent: #134584;
  --critical: #41010d; --high: #b25c12; --medium: #5d4603; --low: #134584; --informational: #677688;
  --mark: #fff3d6; --grid: #e4e8ee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1116; --panel: #12161c; --well: #1a2029; --line: #323c49; --text: #e6eaf0; --soft: #a3afbe; --accent: #92d0fc;
    --critical: #f81f49; --high: #feaf74; --medium: #fdf7bf; --low: #92d0fc; --informational: #8880a0;
    --mark: #3a3118; --grid: #27303b;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0 auto; padding: 2.25rem 1.5rem 4rem; max-width: 75rem; background: var(--page); color: var(--text);
  font: 0.9375rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1, h2, h3 { line-height: 1.25; margin: 0; font-weight: 650; }
h1 { font-size: 1.75rem; letter-spacing: -0.01em; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 0.875rem; }
h3 { font-size: 0.9375rem; margin: 0 0 0.5rem; }
h4 { font-size: 0.8125rem; margin: 1rem 0 0.375rem; color: var(--soft); font-weight: 600; }
p { margin: 0 0 0.75rem; }
a { color: var(--accent); overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.soft { color: var(--soft); }
.mono, pre, td.value { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace; }
.critical { --tone: var(--critical); } .high { --tone: var(--high); } .medium { --tone: var(--medium); }
.low { --tone: var(--low); } .informational { --tone: var(--informational); }
.level { color: var(--tone); font-weight: 650; white-space: nowrap; }
.level .shape { display: inline-block; width: 1.15em; }

header { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; align-items: flex-end; justify-content: space-between;
  border-bottom: 2px solid var(--text); padding-bottom: 1rem; margin-bottom: 1.5rem; }
header .brand { font-size: 0.8125rem; font-weight: 700; letter-spacing: 0.14em; text-transform: uppercase; color: var(--soft); }
header dl { margin: 0; display: grid; grid-template-columns: auto auto; gap: 0 0.75rem; font-size: 0.8125rem; }
header dt { color: var(--soft); } header dd { margin: 0; }
.lead { font-size: 1.0625rem; max-width: 52rem; }
.notice { border: 1px solid var(--line); border-left: 4px solid var(--high); background: var(--panel);
  padding: 0.625rem 0.875rem; border-radius: 4px; margin: 0 0 1rem; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.75rem; margin: 1.25rem 0; padding: 0; list-style: none; }
.tiles li { border: 1px solid var(--line); border-top: 4px solid var(--tone); border-radius: 6px; background: var(--panel); padding: 0.75rem 0.875rem; }
.tiles .figure { display: block; font-size: 1.75rem; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles .none { color: var(--soft); font-weight: 400; }
.tiles .level { display: block; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 0.75rem; align-items: start; }
.panel { border: 1px solid var(--line); border-radius: 6px; background: var(--panel); padding: 0.875rem 1rem; min-width: 0; margin-bottom: 0.75rem; }
.panel > :last-child { margin-bottom: 0; }

figure { margin: 0; }
svg { display: block; width: 100%; height: auto; }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg text { fill: var(--soft); font-size: 11px; font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
svg .bar { fill: var(--tone); }
svg .plot { fill: none; stroke: var(--tone); stroke-width: 2; stroke-linejoin: round; }
svg .fill, svg .dot { fill: var(--tone); }
svg .fill { stroke: var(--panel); stroke-width: 1; }
svg .plot.second { stroke-dasharray: 7 4; } svg .fill.second { fill-opacity: 0.55; }
svg.key { display: inline-block; width: 1.5rem; height: 0.625rem; vertical-align: middle; margin-right: 0.375rem; }
svg.key line { stroke: var(--tone); stroke-width: 4; } svg.key.second line { stroke-dasharray: 7 4; }
svg.pie { max-width: 18rem; }
.tone0 { --tone: var(--low); } .tone1 { --tone: var(--high); } .tone2 { --tone: var(--critical); }
.tone3 { --tone: var(--informational); } .tone4 { --tone: var(--medium); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0.5rem 0 0; padding: 0; font-size: 0.8125rem; }
svg .share { fill: var(--tone, var(--accent)); }
svg .rail { fill: var(--grid); }
td.share { width: 24%; min-width: 4rem; }
td.share svg { margin-top: 0.375rem; }

table { border-collapse: collapse; width: 100%; font-size: 0.8125rem; }
caption { text-align: left; font-weight: 650; padding-bottom: 0.375rem; font-size: 0.9375rem; }
th { text-align: left; font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--line); padding: 0.3125rem 0.625rem 0.3125rem 0; vertical-align: bottom; white-space: nowrap; }
td, tbody th { border-bottom: 1px solid var(--grid); padding: 0.3125rem 0.625rem 0.3125rem 0; vertical-align: top; overflow-wrap: anywhere; }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { color: var(--text); white-space: normal; font-weight: 400; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow-wrap: normal; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }

.filters { display: flex; flex-wrap: wrap; gap: 0.5rem; border: 0; padding: 0; margin: 0 0 0.875rem; }
.filters legend { float: left; padding: 0.25rem 0.5rem 0 0; color: var(--soft); font-size: 0.8125rem; }
.filters label { display: inline-flex; gap: 0.4375rem; align-items: center; border: 1px solid var(--line); border-radius: 999px; padding: 0.1875rem 0.75rem 0.1875rem 0.5625rem; min-height: 1.75rem; cursor: pointer; font-size: 0.8125rem; }
.filters input { width: 1rem; height: 1rem; margin: 0; accent-color: var(--tone); }
body:has(#show-critical:not(:checked)) .rule.critical, body:has(#show-high:not(:checked)) .rule.high,
body:has(#show-medium:not(:checked)) .rule.medium, body:has(#show-low:not(:checked)) .rule.low,
body:has(#show-informational:not(:checked)) .rule.informational { display: none; }

details > summary { cursor: pointer; }
.rule { border: 1px solid var(--line); border-left: 5px solid var(--tone); border-radius: 6px; margin: 0 0 0.625rem; background: var(--panel); }
.rule > summary { display: grid; grid-template-columns: 9.5rem minmax(0, 1fr) auto; gap: 0.25rem 0.75rem; padding: 0.6875rem 0.875rem; list-style: none; align-items: baseline; }
.rule > summary::-webkit-details-marker { display: none; }
.rule > summary::after { content: "+"; position: absolute; right: 0.875rem; top: 0.625rem; color: var(--soft); }
.rule[open] > summary::after { content: "\\2212"; }
.rule > summary { position: relative; padding-right: 2.25rem; }
.rule[open] > summary { border-bottom: 1px solid var(--line); }
.rule .title { font-weight: 600; overflow-wrap: anywhere; }
.rule .facts { color: var(--soft); font-size: 0.8125rem; text-align: right; font-variant-numeric: tabular-nums; }
.rule .body { padding: 0.875rem 1rem 1rem; }
.rule .about { display: grid; grid-template-columns: minmax(0, 8.5rem) minmax(0, 1fr); gap: 0.1875rem 1rem; font-size: 0.8125rem; margin: 0 0 0.75rem; }
.about dt { color: var(--soft); } .about dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
.tags { display: flex; flex-wrap: wrap; gap: 0.25rem 0.375rem; list-style: none; padding: 0; margin: 0; }
.tags li { border: 1px solid var(--line); border-radius: 4px; padding: 0 0.375rem; }

.finding { border-top: 1px solid var(--grid); content-visibility: auto; contain-intrinsic-size: auto 2rem; }
.finding > summary { padding: 0.3125rem 0; font-size: 0.8125rem; overflow-wrap: anywhere; }
.finding > summary .when { font-variant-numeric: tabular-nums; }
.finding > summary .host { font-weight: 600; }
.finding .fields { margin: 0.25rem 0 0.875rem 1.125rem; width: calc(100% - 1.125rem); }
.fields th { width: 14rem; color: var(--soft); font-weight: 400; overflow-wrap: anywhere; }
.fields tr.read > * { background: var(--mark); }
.fields tr.read > th { color: var(--text); font-weight: 600; padding-left: 0.375rem; }
.fields td.value { unicode-bidi: plaintext; white-space: pre-wrap; }
bdi { unicode-bidi: isolate; }
.source > summary, .more > summary { font-size: 0.8125rem; color: var(--accent); padding: 0.375rem 0; }
pre { margin: 0; padding: 0.75rem 0.875rem; background: var(--well); border: 1px solid var(--line); border-radius: 6px; font-size: 0.75rem; line-height: 1.5; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 2; }
footer { margin-top: 3rem; padding-top: 0.875rem; border-top: 1px solid var(--line); font-size: 0.8125rem; color: var(--soft); }

@media (max-width: 44rem) {
  body { padding: 1.25rem 0.875rem 3rem; }
  .panels { grid-template-columns: minmax(0, 1fr); }
  .rule > summary { grid-template-columns: minmax(0, 1fr); }
  .rule .facts { text-align: left; }
  .rule .about { grid-template-columns: minmax(0, 1fr); }
  .about dd { margin-bottom: 0.375rem; }
  .fields th { width: 8rem; }
  td.share { display: none; }
  svg text { font-size: 24px; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 9pt; }
  .filters, .rule > summary::after { display: none; }
  .tiles li, .panel, .finding { break-inside: avoid; }
}
`
