/** @file How a report looks: one column, system fonts, light and dark, from a phone to a wide screen, and on paper. */
import { themeRules } from "../../drawing/chart.ts";

const rules = `
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main,header{max-width:62rem;margin:0 auto;padding:0 1.25rem}
main{padding-bottom:4rem}
h1{font-size:1.75rem;line-height:1.2;letter-spacing:-.015em;margin:2.5rem 0 .4rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;line-height:1.3;letter-spacing:-.01em;margin:2.5rem 0 .6rem;padding-top:1rem;border-top:1px solid var(--rule)}
h3{font-size:1rem;margin:1.6rem 0 .4rem;overflow-wrap:anywhere}
p{margin:.4rem 0 .9rem;max-width:44rem;overflow-wrap:anywhere}
.soft,figcaption{color:var(--soft);font-size:.875rem}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin-top:1rem;font-size:.9375rem}
a{color:var(--series1);text-underline-offset:.2em}
ul.notes{color:var(--soft);font-size:.875rem;padding-left:1.1rem;max-width:50rem}
.caution{border-left:3px solid var(--series2);padding-left:.75rem}
.scroll{overflow-x:auto;margin:.75rem 0;-webkit-overflow-scrolling:touch}
table{border-collapse:separate;border-spacing:0;font-size:.875rem;font-variant-numeric:tabular-nums;min-width:100%}
th,td{padding:.42rem .8rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule);vertical-align:top}
th:first-child,td:first-child{text-align:left;padding-left:0}
th:first-child{position:sticky;left:0;background:var(--paper)}
thead th{color:var(--soft);font-weight:500}
tbody th{font-weight:600}
.words td,.words th{text-align:left}
.words td{white-space:pre-wrap;overflow-wrap:anywhere;min-width:9.5rem;max-width:22rem}
figure{margin:.75rem 0}
figure svg{display:block;max-width:100%;height:auto}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1rem 1.5rem}
.heads{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.75rem,1fr));gap:.5rem}
.heads svg{width:100%}
.dot{display:inline-block;width:.7em;height:.7em;border-radius:50%;margin-right:.45em}
.narrow{display:none}
@media (max-width:46rem){.wide{display:none}.narrow{display:block}main,header{padding:0 1rem}h1{margin-top:1.5rem}}
.tabs input{position:absolute;opacity:0;pointer-events:none}
.tabs label{display:inline-block;padding:.3rem .8rem;margin:0 .35rem .6rem 0;border:1px solid var(--rule);border-radius:99px;font-size:.875rem;cursor:pointer;color:var(--soft)}
.tabs input:checked+label{color:var(--paper);background:var(--ink);border-color:var(--ink)}
.tabs input:focus-visible+label{outline:2px solid var(--series1);outline-offset:2px}
.pane{display:none}
#by-step:checked~.step,#by-tokens:checked~.tokens,#by-seconds:checked~.seconds{display:block}
blockquote{margin:.4rem 0 1rem;padding:.7rem .9rem;border-left:3px solid var(--rule);white-space:pre-wrap;overflow-wrap:anywhere;font:.875rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
blockquote b{font-weight:700}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--soft);font-size:.9375rem}
pre{overflow-x:auto;font:.8125rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;padding:.8rem 0}
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media print{nav,.tabs input,.tabs label{display:none}.pane{display:block}h2{break-after:avoid}figure,tr{break-inside:avoid}}
`;

/** A page's whole style. */
export const reportStyle = `${themeRules(":root")}${rules.replace(/\n/g, "")}`;
