/**
 * What the guided run shows: a bar per task on a terminal, plain lines elsewhere.
 */
export interface TaskLine {
  title: string;
  status: string;
  /** 0 to 1. */
  progress: number;
  note: string | null;
}

/** What the view needs of a stream. */
export type Screen = Pick<NodeJS.WriteStream, 'write'> &
  Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>>;

const BAR_WIDTH = 24;
/** Of the longest note, so that titles stand still. */
const NOTE_WIDTH = 'reading the practice'.length;
const USUAL_COLUMNS = 80;
const MARKS: Record<string, string> = { done: '✔', error: '✘' };

/** Scripts, punctuation and symbols whose characters take two columns of a terminal. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const graphemes = new Intl.Segmenter();

export class DemoView {
  readonly #out: Screen;
  #drawn = 0;
  readonly #told = new Map<number, string>();

  constructor(out: Screen = process.stdout) {
    this.#out = out;
  }

  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  heading(text: string): void {
    this.line(this.#out.isTTY ? `\n\u001B[1m${text}\u001B[0m` : `\n${text}`);
  }

  /** Shows the tasks as they are now; call it as often as anything changes. */
  tasks(lines: readonly TaskLine[]): void {
    if (this.#out.isTTY) this.#redraw(lines);
    else this.#tellChanges(lines);
  }

  /** Over the lines drawn before: none may wrap, or the way back up would be longer than they are many. */
  #redraw(lines: readonly TaskLine[]): void {
    if (this.#drawn > 0) this.#out.write(`\u001B[${this.#drawn}A`);
    const room = (this.#out.columns || USUAL_COLUMNS) - 1;
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

  #tellChanges(lines: readonly TaskLine[]): void {
    for (const [index, { title, status }] of lines.entries()) {
      if (this.#told.get(index) === status) continue;
      this.#told.set(index, status);
      this.line(`  ${MARKS[status] ?? '·'} ${status.padEnd(8)} ${title}`);
    }
  }
}

/** Text that takes at most so many columns, with an ellipsis where something was left out. */
export function cut(text: string, columns: number): string {
  let width = 0;
  /** As much as leaves room for the ellipsis. */
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    width += WIDE.test(segment) ? 2 : 1;
    if (width > columns) return `${kept}…`;
    if (width < columns) kept += segment;
  }
  return text;
}
