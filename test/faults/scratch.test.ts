import test from 'node:test';
import { Stage } from './stage.ts';
import { runBaseline } from './baseline.ts';
import { runTrial } from './trial.ts';
import { ALL_MODES, MODES } from './modes.ts';
const modes = (process.env['MODES'] ?? 'BAD').split('');
const filter = process.env['UNITS'] ?? '';
test('x', async () => {
  const t0 = performance.now();
  const log = (...a: unknown[]) =>
    process.stderr.write(`${(performance.now() - t0).toFixed(0)} ${a.join(' ')}\n`);
  const stage = await Stage.open();
  log('open');
  try {
    await runBaseline(stage);
    const units = (await import('./labels.ts')).knownUnits();
    log(JSON.stringify(units.map((u) => u.label)));
    for (const unit of units) {
      if (!unit.label.includes(filter) && unit.way !== filter) continue;
      for (const mode of ALL_MODES) {
        if (!modes.includes(mode) || !MODES[mode].fits(unit)) continue;
        const out = await runTrial(stage, { unit, mode });
        log(unit.label, mode, out.durationMs.toFixed(0), JSON.stringify(out.violations));
        if (out.violations.length > 0) {
          log(out.trace.join('\n'));
          for (const p of stage.processes) log(p.role, p.pid, p.text().slice(-1500));
        }
      }
    }
  } finally {
    await stage.close();
  }
});
