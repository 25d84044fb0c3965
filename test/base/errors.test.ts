import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError, ERRORS, type ErrorCode } from '../../base/errors.ts';

describe('the error catalogue', () => {
  for (const [code, { status, message }] of Object.entries(ERRORS)) {
    test(`gives ${code} the form of a code, a status of HTTP and one sentence or more`, () => {
      assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
      assert.ok(Number.isInteger(status) && status >= 400 && status <= 599, `${status}`);
      assert.match(message, /^[A-Z].*\.$/);
    });
  }
});

describe('an error for callers', () => {
  test('has the status and the sentence of its code', () => {
    const error = new AppError('TASK_NOT_FOUND');
    assert.ok(error instanceof Error);
    assert.deepEqual(
      [error.name, error.code, error.status, error.message],
      ['AppError', 'TASK_NOT_FOUND', 404, ERRORS.TASK_NOT_FOUND.message],
    );
    assert.deepEqual([error.details, error.retryAfterSeconds], [undefined, undefined]);
  });

  test('carries what the place that throws it knows', () => {
    const cause = new Error('ECONNREFUSED');
    const details = { store: 'redis' };
    const code: ErrorCode = 'STORE_UNAVAILABLE';
    const error = new AppError(code, { message: 'Away.', details, retryAfterSeconds: 2, cause });
    assert.deepEqual(
      [error.message, error.status, error.details, error.retryAfterSeconds, error.cause],
      ['Away.', 503, details, 2, cause],
    );
  });
});
