/**
 * Figures as a table for people and as JSON for programs.
 */
import { readFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { packagePath } from '../../base/package-path.ts';
import { quantile, type Figure, type Target } from './bench.ts';

export interface Machine {
  cores: number;
  cpu: string;
  /** Processes that wanted a core, over the minute before: more than a fraction of one disturbs. */
  loadBefore: number;
  node: string;
  redis: string;
  /** Undefined when no row needed it. */
  postgres: string | undefined;
  /** Packages on the side of the peers, and what both sides use. */
  packages: Record<(typeof PACKAGES)[number], string>;
}

const PACKAGES = ['bullmq', 'ioredis', 'pg-boss', 'graphile-worker', 'fastify', 'pg'] as const;

export interface Report {
  machine: Machine;
  rounds: number;
  scale: number;
  /** How long everything took, in seconds. */
  seconds: number;
  figures: ReportedFigure[];
  /** Rows that could not be measured, and why. */
  failures: { row: string; error: string }[];
}

export interface Summary {
  median: number;
  min: number;
  max: number;
  rounds: number[];
}

export interface ReportedFigure extends Omit<Figure, 'ours' | 'theirs'> {
  ours: Summary | undefined;
  theirs: Summary | undefined;
  /** Of the medians: ours to theirs. */
  ratio: number | undefined;
  /** The same of each round, as the sides of a round were measured next to each other. */
  ratioOfRounds: number[];
  /** `short`: the target is not reached. Undefined without a target. */
  verdict: 'ok' | 'short' | 'not measured yet' | undefined;
}

/** Call it before anything is measured. */
export async function describeMachine(redis: string): Promise<Omit<Machine, 'postgres'>> {
  const { length: cores, 0: first } = cpus();
  return {
    cores,
    cpu: first?.model.trim() ?? 'unknown',
    loadBefore: loadavg()[0]!,
    node: process.version,
    redis,
    packages: await versionsOf(PACKAGES),
  };
}

export function summarize(figure: Figure): ReportedFigure {
  const ours = summaryOf(figure.ours);
  const theirs = summaryOf(figure.theirs);
  const ratio = ours && theirs && ours.median / theirs.median;
  const { target } = figure;
  const value = target?.of === 'ours' ? ours?.median : ratio;
  const ratioOfRounds = figure.ours
    .slice(0, figure.theirs.length)
    .map((one, round) => one / figure.theirs[round]!);
  return { ...figure, ours, theirs, ratio, ratioOfRounds, verdict: target && judge(value, target) };
}

function judge(value: number | undefined, { is, must }: Target): ReportedFigure['verdict'] {
  if (value === undefined) return 'not measured yet';
  return (is === 'least' ? value >= must : value <= must) ? 'ok' : 'short';
}

function summaryOf(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined;
  return {
    median: quantile(values, 0.5),
    min: Math.min(...values),
    max: Math.max(...values),
    rounds: [...values],
  };
}

const HEADER = [
  'row',
  'figure',
  'unit',
  'ours (min-max)',
  'theirs (min-max)',
  'ratio (min-max)',
  'must',
  'aim',
  '',
];

export function renderTable({
  machine,
  rounds,
  scale,
  seconds,
  figures,
  failures,
}: Report): string {
  const cells = [HEADER, ...figures.map(cellsOf)];
  const widths = HEADER.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  const notes = figures.filter((figure) => figure.note).map(({ row, note }) => `${row}: ${note}`);
  return (
    [
      `${machine.cores} cores, ${machine.cpu}; ${enginesOf(machine)}; load before ${machine.loadBefore.toFixed(1)}`,
      `Medians of ${rounds} rounds of each side in turn${scale === 1 ? '' : `, ${scale} x the jobs`}, ${Math.round(seconds)} s in all. Payload 356 bytes of JSON.`,
      'BullMQ keeps no finished job (removeOnComplete), ours keeps results. Times depend on the machine: read the ratios.',
      '',
      ...lines,
      '',
      ...notes,
      ...failures.map(({ row, error }) => `${row} FAILED: ${error}`),
    ]
      .join('\n')
      .trimEnd() + '\n'
  );
}

function enginesOf({ node, redis, postgres, packages }: Machine): string {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [`Node ${node}`, redis, postgres ?? [], versions].flat().join(', ');
}

function cellsOf(figure: ReportedFigure): string[] {
  const { target, ratio, theirs, peer } = figure;
  const bound = (value: number): string => {
    const sign = target?.is === 'least' ? '>=' : '<=';
    return `${sign} ${target?.of === 'ours' ? `${format(value)} ${figure.unit}` : times(value)}`;
  };
  return [
    figure.row,
    figure.figure,
    figure.unit,
    describe(figure.ours),
    `${describe(theirs)}${peer !== undefined && theirs !== undefined ? ` ${peer}` : ''}`,
    ratio === undefined ? '-' : `${times(ratio)} (${spread(figure.ratioOfRounds, plain)})`,
    target === undefined ? '-' : bound(target.must),
    target === undefined ? '-' : bound(target.aim),
    figure.verdict ?? '',
  ];
}

function describe(summary: Summary | undefined): string {
  if (summary === undefined) return '-';
  return `${format(summary.median)} (${spread(summary.rounds, format)})`;
}

function spread(values: readonly number[], print: (value: number) => string): string {
  return `${print(Math.min(...values))}-${print(Math.max(...values))}`;
}

function times(ratio: number): string {
  return `${plain(ratio)} x`;
}

function plain(ratio: number): string {
  return ratio.toFixed(ratio < 0.2 ? 3 : ratio < 10 ? 2 : 1);
}

function format(value: number): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(1)}k`;
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

async function versionsOf<Name extends string>(
  names: readonly Name[],
): Promise<Record<Name, string>> {
  const versions = names.map(async (name) => {
    const text = await readFile(packagePath('node_modules', name, 'package.json'), 'utf8');
    return [name, (JSON.parse(text) as { version: string }).version];
  });
  return Object.fromEntries(await Promise.all(versions)) as Record<Name, string>;
}
