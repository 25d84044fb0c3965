/** Output of the demo: a bar per task on a terminal, plain lines elsewhere. */
export interface TaskLine {
  title: string;
  status: string;
  /** From 0 to 1. */
  progress: number;
  note: string | null;
}

export type Screen = Pick<NodeJS.WriteStream, 'write'> &
  Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>>;

const BAR_WIDTH = 24;
/** The longest note, so that titles stay aligned. */
const NOTE_WIDTH = 'reading the practice'.length;
const USUAL_COLUMNS = 80;
const MARKS: Record<string, string> = { done: '✔', error: '✘' };

/** Characters that take two columns on a terminal. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const graphemes = new Intl.Segmenter();

/** Marks that must not start a line, and marks that must not end one. */
const CLOSING = '。，、；：！？…）」』】》〉”’.,;:!?)';
const OPENING = '（「『【《〈“‘(';

export class DemoView {
  readonly #out: Screen;
  #drawn = 0;
  readonly #told = new Map<number, string>();

  constructor(out: Screen = process.stdout) {
    this.#out = out;
  }

  /** Wraps prose on a terminal. Text with columns stays whole, as some of it is to be pasted. */
  line(text = ''): void {
    const isProse = this.#out.isTTY && !/\S {2,}\S/.test(text);
    const lines = isProse ? wrap(text, this.#room()) : [text];
    for (const line of lines) this.#out.write(`${line}\n`);
  }

  heading(text: string): void {
    this.#out.write(this.#out.isTTY ? `\n\u001B[1m${text}\u001B[0m\n` : `\n${text}\n`);
  }

  tasks(lines: readonly TaskLine[]): void {
    if (this.#out.isTTY) this.#redraw(lines);
    else this.#tellChanges(lines);
  }

  /** Overwrites its previous lines; a wrapped line would break the cursor movement. */
  #redraw(lines: readonly TaskLine[]): void {
    if (this.#drawn > 0) this.#out.write(`\u001B[${this.#drawn}A`);
    const room = this.#room();
    for (const { title, status, progress, note } of lines) {
      const filled = Math.round(progress * BAR_WIDTH);
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
      const text = status === 'running' ? (note ?? status) : status;
      const shown = cut(text, NOTE_WIDTH).padEnd(NOTE_WIDTH);
      const line = cut(`  ${MARKS[status] ?? '·'} ${bar} ${shown} ${title}`, room);
      this.#out.write(`\u001B[2K${line}\n`);
    }
    this.#drawn = lines.length;
  }

  /** One column less than the terminal, which may wrap a full line. */
  #room(): number {
    return (this.#out.columns || USUAL_COLUMNS) - 1;
  }

  #tellChanges(lines: readonly TaskLine[]): void {
    for (const [index, { title, status }] of lines.entries()) {
      if (this.#told.get(index) === status) continue;
      this.#told.set(index, status);
      this.line(`  ${MARKS[status] ?? '·'} ${status.padEnd(8)} ${title}`);
    }
  }
}

/** Cuts text to a width and ends it with an ellipsis. */
export function cut(text: string, columns: number): string {
  let width = 0;
  /** Leaves room for the ellipsis. */
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment);
    if (width > columns) return `${kept}…`;
    if (width < columns) kept += segment;
  }
  return text;
}

/**
 * Breaks text at spaces, and between wide characters where no mark forbids it. Keeps the indent of the first line. A
 * word longer than a line is not broken.
 */
export function wrap(text: string, columns: number): string[] {
  const indent = /^ */.exec(text)![0];
  const lines: string[] = [];
  let line = indent;
  let width = indent.length;
  let blanks = '';
  for (const piece of piecesOf(text.slice(indent.length))) {
    if (piece.trim() === '') {
      blanks = piece;
      continue;
    }
    const added = columnsOf(blanks + piece);
    if (width + added > columns && line !== indent) {
      lines.push(line);
      line = indent + piece;
      width = indent.length + columnsOf(piece);
    } else {
      line += blanks + piece;
      width += added;
    }
    blanks = '';
  }
  return [...lines, line];
}

/** Unbreakable pieces: a word or wide character with its marks, or the spaces between. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  let last: string | undefined;
  for (const { segment } of graphemes.segment(text)) {
    if (last === undefined || mayBreak(last, segment)) pieces.push(segment);
    else pieces[pieces.length - 1] += segment;
    last = segment;
  }
  return pieces;
}

function mayBreak(before: string, after: string): boolean {
  const isBlank = before.trim() === '';
  if (isBlank !== (after.trim() === '')) return true;
  if (isBlank || OPENING.includes(before) || CLOSING.includes(after)) return false;
  return WIDE.test(before) || WIDE.test(after);
}

function columnsOf(text: string): number {
  return Array.from(graphemes.segment(text), ({ segment }) => widthOf(segment)).reduce(
    (sum, width) => sum + width,
    0,
  );
}

function widthOf(segment: string): number {
  return WIDE.test(segment) ? 2 : 1;
}
