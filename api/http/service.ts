/** Starts, drains and closes the HTTP server of a process. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { ResolvedConfig } from '../../base/config.ts';
import { AppError } from '../../base/errors.ts';
import type { Service } from '../../base/service.ts';

interface Listening {
  host: string;
  port: number;
  setting: 'PORT' | 'OPERATIONS_PORT';
  /** Longest wait for open requests, in milliseconds. */
  graceMs: number;
}

export class HttpService implements Service {
  readonly name = 'http';
  readonly #listening: Listening;
  readonly #build: () => Promise<FastifyInstance>;
  readonly #unanswered = new Set<ServerResponse>();
  #app: FastifyInstance | undefined;
  #stopped: Promise<void> | undefined;

  constructor(listening: Listening, build: () => Promise<FastifyInstance>) {
    this.#listening = listening;
    this.#build = build;
  }

  /** For instance `http://127.0.0.1:3000`; undefined before `start`. */
  get origin(): string | undefined {
    return this.#app?.listeningOrigin;
  }

  /** @throws {AppError} `CONFIG_INVALID` when the port is taken or forbidden, or the address is not local. */
  async start(): Promise<void> {
    const { host, port } = this.#listening;
    const app = await this.#build();
    app.server.on('request', (_request, response) => {
      this.#unanswered.add(response);
      response.once('close', () => this.#unanswered.delete(response));
    });
    try {
      await app.listen({ host, port });
    } catch (error) {
      await app.close();
      throw explain(error, this.#listening);
    }
    this.#app = app;
  }

  /**
   * Graceful shutdown: stops listening, ends long-polls, waits for open requests within the grace period, then closes
   * all connections. Idle ones would otherwise hold the process for a minute.
   */
  async stop(): Promise<void> {
    if (this.#app !== undefined) this.#stopped ??= this.#drain(this.#app);
    await this.#stopped;
  }

  async #drain(app: FastifyInstance): Promise<void> {
    // Fastify stops listening only after its hooks; a connection made meanwhile would outlive the drain.
    const connectionsClosed = new Promise<void>((resolve) => {
      app.server.close(() => resolve());
    });
    const closed = app.close();
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#listening.graceMs);
    });
    await Promise.race([this.#allAnswered(), grace]);
    clearTimeout(timer);
    app.server.closeAllConnections();
    await Promise.all([connectionsClosed, closed]);
  }

  async #allAnswered(): Promise<void> {
    for (const response of this.#unanswered) {
      await new Promise<void>((resolve) => void response.once('close', () => resolve()));
    }
  }
}

/**
 * Reports a taken port before the engines start. Another process may still take it afterwards.
 * @throws {AppError} `CONFIG_INVALID`
 */
export async function assertPortFree({
  host,
  port,
}: Pick<ResolvedConfig, 'host' | 'port'>): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    throw explain(error, { host, port, setting: 'PORT' });
  }
  server.close();
  await once(server, 'close');
}

const PORT_PROBLEMS: Record<string, string> = {
  EADDRINUSE: 'is already in use',
  EACCES: 'requires more privileges than this account has',
};

function explain(
  error: unknown,
  { host, port, setting }: Pick<Listening, 'host' | 'port' | 'setting'>,
): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOTFOUND' || code === 'EADDRNOTAVAIL') {
    return new AppError('CONFIG_INVALID', {
      message: `${host} is not an address of this machine. Set HOST to one of its addresses, or to 0.0.0.0 for all.`,
      cause: error,
    });
  }
  const reason = PORT_PROBLEMS[String(code)];
  if (reason === undefined) return error;
  return new AppError('CONFIG_INVALID', {
    message: `Port ${port} on ${host} ${reason}. Set ${setting} to another port, or to 0 for a free one.`,
    cause: error,
  });
}
