/**
 * What must hold after every trial, whatever happened in it. It is read from the producer's log, the audit of the database, the
 * count of the coach and what passed the gates: never from what the application says of itself.
 */
import type { AuditRow } from '../stage/audit.ts';

export interface Evidence {
  /** Of each request that was to be done, in order: the task ids of its 202s, and the answers that were neither 202 nor 503. */
  requests: readonly { accepted: readonly string[]; unexpected: readonly string[] }[];
  /** Every row of `ai.tasks` for the practice. */
  tasks: readonly string[];
  /** Status of the graph of each that has one. */
  graphs: readonly string[];
  audit: readonly AuditRow[];
  /** Calls of the model, as the coach counted them. */
  chatCalls: number;
  cachedVersion: number | undefined;
  /** Failures of the handler that the fault explains. */
  failures: number;
  /** Deliveries that said that a death was charged. */
  deaths: readonly string[];
  leftovers: readonly string[];
  /** Of each task, how often the queue has kept and announced its end. */
  endings: readonly { kept: number; announced: number }[];
  /** Connections at the gates of a process that has ended. */
  connections: number;
}

const TERMINAL = new Set(['done', 'error', 'revoked']);
const STEPS = ['llm', 'save'];

export function violationsOf(evidence: Evidence): string[] {
  const ids = new Set<string>();
  const violations: string[] = [];
  for (const { accepted, unexpected } of evidence.requests) {
    violations.push(...unexpected.map((answer) => `a request was answered ${answer}`));
    const distinct = new Set(accepted);
    if (distinct.size !== 1) violations.push(`one request became ${distinct.size} tasks`);
    for (const id of distinct) ids.add(id);
  }
  const strangers = evidence.tasks.filter((id) => !ids.has(id));
  if (strangers.length > 0) violations.push(`${strangers.length} tasks nobody was told of`);
  [...ids].forEach((id, index) => {
    const rows = evidence.audit.filter(({ taskId }) => taskId === id);
    violations.push(...ofTask(rows, index + 1, index === 0 ? evidence.failures : 0));
  });
  for (const status of evidence.graphs) {
    if (status !== 'done') violations.push(`its group is ${status}`);
  }
  violations.push(...ofCalls(evidence), ...evidence.leftovers);
  if (evidence.deaths.length > 0) violations.push(`deaths were charged: ${evidence.deaths.join()}`);
  for (const { kept, announced } of evidence.endings) {
    if (kept !== 1 || announced !== 1) {
      violations.push(`the queue has ended one job ${kept} times, and said so ${announced} times`);
    }
  }
  if (evidence.cachedVersion !== ids.size) {
    violations.push(`the cache holds version ${evidence.cachedVersion}, not ${ids.size}`);
  }
  if (evidence.connections > 0) {
    violations.push(`${evidence.connections} connections of an ended process are open`);
  }
  return violations;
}

function ofTask(rows: readonly AuditRow[], version: number, failures: number): string[] {
  const violations: string[] = [];
  const ofTasks = rows.filter(({ table }) => table === 'tasks');
  const end = ofTasks.find(({ status }) => TERMINAL.has(status ?? ''));
  if (end?.status !== 'done') violations.push(`the task ended as ${end?.status}`);
  const after = rows.filter(({ n }) => end !== undefined && n > end.n);
  if (after.length > 0) {
    const what = after.map(({ op, table, status }) => `${op} ${table} ${status ?? ''}`.trim());
    violations.push(`written after the end: ${what.join(', ')}`);
  }
  if (end !== undefined && end.attempts !== 1 + failures) {
    violations.push(`${end.attempts} attempts were charged, not ${1 + failures}`);
  }
  for (const row of rows) {
    const epoch = newestEpoch(ofTasks, row.n);
    const isStale = row.table === 'task_steps' && row.epoch !== epoch;
    if (isStale) violations.push(`${row.step} was written under epoch ${row.epoch} of ${epoch}`);
  }
  return [...violations, ...ofEffects(rows, version)];
}

/** The epoch of the newest start before a write. */
function newestEpoch(ofTasks: readonly AuditRow[], before: number): number {
  const epochs = ofTasks.filter(({ n }) => n < before).map(({ epoch }) => epoch ?? 0);
  return Math.max(0, ...epochs);
}

function ofEffects(rows: readonly AuditRow[], version: number): string[] {
  const violations: string[] = [];
  const count = (table: AuditRow['table'], step?: string): number =>
    rows.filter((row) => row.table === table && (step === undefined || row.step === step)).length;
  for (const step of STEPS) {
    const written = count('task_steps', step);
    if (written !== 1) violations.push(`the step ${step} was stored ${written} times`);
  }
  const calls = count('llm_calls', 'llm');
  if (calls !== 1) violations.push(`the call of the model was recorded ${calls} times`);
  const versions = rows
    .filter(({ table }) => table === 'practice_feedback')
    .map((row) => row.version);
  if (versions.length !== 1 || versions[0] !== version) {
    violations.push(`feedback was written with versions [${versions.join()}], not [${version}]`);
  }
  return violations;
}

/** The model is called for a step at most once per start that had no stored output. */
function ofCalls({ audit, chatCalls }: Evidence): string[] {
  const stored = new Set<string>();
  let allowed = 0;
  const epochs = new Map<string, number>();
  for (const { table, taskId, step, epoch } of audit) {
    if (table === 'task_steps' && step === 'llm') stored.add(taskId);
    if (table !== 'tasks' || (epoch ?? 0) <= (epochs.get(taskId) ?? 0)) continue;
    epochs.set(taskId, epoch ?? 0);
    if (!stored.has(taskId)) allowed++;
  }
  return chatCalls > allowed
    ? [`the model was called ${chatCalls} times in ${allowed} starts without stored output`]
    : [];
}
