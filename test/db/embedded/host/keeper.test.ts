import assert from 'node:assert/strict';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { startKeeper } from '../../../../db/embedded/host/keeper.ts';
import { isRunning, markProcess, type ProcessMark } from '../../../../db/embedded/host/process.ts';
import { eventually } from '../../../support/queue/consumers.ts';

const allGone = (marks: readonly ProcessMark[]): Promise<void> =>
  eventually('no process is left', () => !marks.some(isRunning));

/** A process that ends on SIGTERM, or one that ignores it. */
function sleeper(isStubborn: boolean): ChildProcess {
  const body = `${isStubborn ? "process.on('SIGTERM', () => {});" : ''} setInterval(() => {}, 1000); console.log('up')`;
  return spawn(process.execPath, ['-e', body], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

if (process.argv[2] === 'parent') {
  const engines = [sleeper(false), sleeper(true)];
  await Promise.all(engines.map((engine) => once(engine.stdout!, 'data')));
  const keeper = startKeeper(200);
  for (const engine of engines) keeper.watch(engine.pid!, 'SIGTERM');
  process.send?.(engines.map((engine) => engine.pid!));
} else {
  test('after kill -9 of the parent, its engines are ended, the stubborn one too', async () => {
    const parent = fork(import.meta.filename, ['parent']);
    const [pids] = (await once(parent, 'message')) as [number[]];
    const marks = pids.map((pid) => markProcess(pid)!);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await allGone(marks);
  });

  test('a process that merely has the number of a watched one is left alone', async () => {
    const bystander = sleeper(false);
    await once(bystander.stdout!, 'data');
    const mark = markProcess(bystander.pid!)!;
    assert.equal(isRunning({ ...mark, startedAt: 'earlier' }), false);
    assert.equal(isRunning(mark), true);
    bystander.kill('SIGKILL');
    await once(bystander, 'exit');
    assert.equal(isRunning(mark), false);
  });

  test('a keeper let go ends itself', async () => {
    const keeper = startKeeper();
    keeper.watch(process.pid + 1_000_000, 'SIGTERM');
    await keeper.close();
    await keeper.close();
  });
}
