// The cells of a terminal's buffer as an SVG picture. Blocks and braille are drawn as shapes, so that no font can tear them.

const [cellWidth, cellHeight, margin] = [8.4, 18, 12];
const [paper, ink] = ["#16181d", "#d8dbe2"];
const palette = [
  ...["#16181d", "#e06c75", "#8fc379", "#e5c07b", "#61a0ef", "#c678dd", "#56b6c2", "#d8dbe2"],
  ...["#5c6370", "#e06c75", "#8fc379", "#e5c07b", "#61a0ef", "#c678dd", "#56b6c2", "#ffffff"],
];
/** Parts of a cell that a block covers: x, y, width, height as shares. */
const blocks = new Map([
  ["█", [0, 0, 1, 1]],
  ["▀", [0, 0, 1, 0.5]],
  ...[..."▏▎▍▌▋▊▉"].map((block, index) => [block, [0, 0, (index + 1) / 8, 1]]),
  ...[..."▁▂▃▄▅▆▇"].map((block, index) => [block, [0, 1 - (index + 1) / 8, 1, (index + 1) / 8]]),
]);
const shades = new Map([
  ["░", 0.25],
  ["▒", 0.5],
  ["▓", 0.7],
]);
const dots = [
  [0, 0, 0x01],
  [0, 1, 0x02],
  [0, 2, 0x04],
  [1, 0, 0x08],
  [1, 1, 0x10],
  [1, 2, 0x20],
  [0, 3, 0x40],
  [1, 3, 0x80],
];

const number = (value) => Number(value.toFixed(2));
const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

/** The visible screen of an @xterm/headless terminal. */
export function screenSvg(terminal, title) {
  const { cols, rows } = terminal;
  const [width, height] = [cols * cellWidth + 2 * margin, rows * cellHeight + 2 * margin];
  const shapes = [];
  for (let row = 0; row < rows; row++) shapes.push(...rowShapes(terminal, row));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${number(width)} ${number(height)}" width="${number(width)}" height="${number(height)}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${paper}"/>`,
    `<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="${ink}">`,
    ...shapes,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

/** Shapes of one row: cells of one look together, and blocks and dots one by one. */
function rowShapes(terminal, row) {
  const { active } = terminal.buffer;
  const line = active.getLine(active.viewportY + row);
  const shapes = [];
  let run;
  const flush = () => {
    if (run?.text.trim()) shapes.push(textShape(run, row));
    run = undefined;
  };
  for (let column = 0; column < terminal.cols; column++) {
    const cell = line.getCell(column);
    if (cell.getWidth() === 0) continue;
    const look = lookOf(cell);
    const text = cell.getChars() || " ";
    if (look.paper !== paper) shapes.push(rectangle(column, row, [0, 0, cell.getWidth(), 1], look.paper, 1));
    const drawn = shapeOf(text, column, row, look);
    if (drawn !== undefined) {
      flush();
      shapes.push(drawn);
      continue;
    }
    const key = JSON.stringify(look);
    if (run?.key !== key || cell.getWidth() > 1) flush();
    run ??= { key, look, column, text: "", cells: 0 };
    run.text += text;
    run.cells += cell.getWidth();
    if (cell.getWidth() > 1) flush();
  }
  flush();
  return shapes;
}

function lookOf(cell) {
  const front = cell.isFgPalette() ? palette[cell.getFgColor() % 16] : ink;
  const back = cell.isBgPalette() ? palette[cell.getBgColor() % 16] : paper;
  const inverse = cell.isInverse() !== 0;
  return {
    ink: inverse ? back : front,
    paper: inverse ? front : back,
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
    underline: cell.isUnderline() !== 0,
  };
}

function shapeOf(text, column, row, look) {
  const opacity = look.dim ? 0.5 : 1;
  const block = blocks.get(text);
  if (block !== undefined) return rectangle(column, row, block, look.ink, opacity);
  const shade = shades.get(text);
  if (shade !== undefined) return rectangle(column, row, [0, 0, 1, 1], look.ink, shade * opacity);
  const bits = text.charCodeAt(0) - 0x2800;
  if (text.length !== 1 || bits <= 0 || bits > 0xff) return undefined;
  const path = dots
    .filter(([, , bit]) => bits & bit)
    .map(([across, down]) => {
      const x = number(margin + (column + 0.27 + across * 0.46) * cellWidth);
      const y = number(margin + (row + 0.125 + down * 0.25) * cellHeight);
      return `M${x} ${y}h.01`;
    })
    .join("");
  return `<path d="${path}" stroke="${look.ink}" stroke-width="2.6" stroke-linecap="round" opacity="${opacity}"/>`;
}

function rectangle(column, row, [x, y, width, height], fill, opacity) {
  const place = `x="${number(margin + (column + x) * cellWidth)}" y="${number(margin + (row + y) * cellHeight)}"`;
  const size = `width="${number(width * cellWidth + 0.2)}" height="${number(height * cellHeight)}"`;
  return `<rect ${place} ${size} fill="${fill}"${opacity === 1 ? "" : ` opacity="${number(opacity)}"`}/>`;
}

function textShape({ text, look, column, cells }, row) {
  const kept = text.replace(/ +$/, "");
  const width = number((cells - (text.length - kept.length)) * cellWidth);
  const style = [
    look.ink === ink ? "" : ` fill="${look.ink}"`,
    look.bold ? ' font-weight="bold"' : "",
    look.dim ? ' opacity="0.55"' : "",
    look.underline ? ' text-decoration="underline"' : "",
  ].join("");
  const place = `x="${number(margin + column * cellWidth)}" y="${number(margin + (row + 0.75) * cellHeight)}"`;
  return `<text ${place} textLength="${width}" lengthAdjust="spacingAndGlyphs" xml:space="preserve"${style}>${escaped(kept)}</text>`;
}
