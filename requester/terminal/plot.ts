/** A curve drawn with Braille dots: two columns and four rows of dots a character. */

export interface PlotOptions {
  /** Characters, without the axis labels. */
  readonly width: number;
  readonly height: number;
  /** What the values are, printed above the plot. */
  readonly title: string;
}

const DOT_BITS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/**
 * @param values One value for each step; at least one, all finite.
 * @returns Lines of text. Each column shows the mean of the steps that fall into it.
 */
export function plotCurve(values: readonly number[], { width, height, title }: PlotOptions): string {
  const columns = columnMeans(values, width * 2);
  const low = Math.min(...columns);
  const high = Math.max(...columns);
  const rows = height * 4;
  const cells = Array.from({ length: height }, () => new Array<number>(width).fill(0));
  let previous: number | undefined;
  columns.forEach((value, column) => {
    const row = high === low ? rows - 1 : Math.round(((high - value) / (high - low)) * (rows - 1));
    const [from, to] = previous === undefined ? [row, row] : [Math.min(previous, row), Math.max(previous, row)];
    for (let dot = from; dot <= to; dot++) {
      cells[dot >> 2]![column >> 1]! |= DOT_BITS[dot & 3]![column & 1]!;
    }
    previous = row;
  });
  const labelWidth = 8;
  const lines = cells.map((cellRow, index) => {
    const label = index === 0 ? high.toFixed(3) : index === height - 1 ? low.toFixed(3) : "";
    return `${label.padStart(labelWidth)} ┤${cellRow.map((bits) => String.fromCodePoint(0x2800 + bits)).join("")}`;
  });
  const last = String(values.length - 1);
  const axis = `${" ".repeat(labelWidth)} └${"─".repeat(width)}`;
  const ticks = `${" ".repeat(labelWidth + 2)}0${last.padStart(width - 1)}`;
  return [`${" ".repeat(labelWidth + 2)}${title}`, ...lines, axis, ticks].join("\n");
}

function columnMeans(values: readonly number[], columns: number): number[] {
  if (values.length === 0) throw new RangeError("a curve needs at least one value");
  const count = Math.min(columns, values.length);
  return Array.from({ length: count }, (_, column) => {
    const from = Math.floor((column * values.length) / count);
    const to = Math.floor(((column + 1) * values.length) / count);
    return values.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
  });
}
