/** The cause of a failure as text, for the operators who look at its dead letter. */
import type { DescribedError } from '../../base/telemetry/describe-error.ts';

export function causeText({
  name,
  code,
  message,
  stack,
  cause,
  errors = [],
}: DescribedError): string {
  const kind = name ?? 'thrown';
  const coded = typeof code === 'string' || typeof code === 'number' ? ` (${code})` : '';
  const lines = [`${kind}${coded}: ${message}`, ...(stack ? [stack] : [])];
  const inner = [...(cause === undefined ? [] : [cause]), ...errors];
  return [...lines, ...inner.map((one) => `caused by ${causeText(one)}`)].join('\n');
}
