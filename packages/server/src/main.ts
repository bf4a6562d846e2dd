import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type TrustedProxies, trustedProxies } from '@countersign/protocol';
import { systemClock } from './clock.ts';
import type { ComposeDeps, Composition } from './compose.ts';
import type { DeclaredRefused } from './config/declared-files.ts';
import { type Deployment, toDeployment } from './config/deployment.ts';
import { type FlagValue, loadSettings, SettingError } from './config/load.ts';
import { preparePlaces } from './config/places.ts';
import type { HttpEdge } from './http/fastify-server.ts';
import { pooledRandom } from './ids.ts';
import { createSecretFile, replaceSecretFile } from './keys/secret-file.ts';
import { type ServerCertificate, serverCertificate } from './server-certificate.ts';
import type { Logger } from './telemetry/logger.ts';
import { VERSION } from './version.ts';

export { AuthorityRefused } from './ca/authority-refused.ts';
export type { ExportedRoot, TakenOffline } from './ca/root-offline.ts';
export { type SignAsk, type Signed, type SignFault, signAuthorityRequest } from './ca/sign-request.ts';
export { SettingError } from './config/load.ts';
export { resetAdmin, takeRootOffline } from './on-host.ts';

export interface AuthorityOptions {
  readonly mode: 'dev' | 'serve';
  /** By setting name, and `config`. */
  readonly flags: Readonly<Record<string, FlagValue>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the files of the web console are, which the package @countersign/console brings; undefined: none are served. */
  readonly consoleFolder?: URL | undefined;
}

/** What the ready file says (docs/operate/promises.md, "The ready file"). */
export interface ReadyFile {
  readonly pid: number;
  readonly version: string;
  readonly issuer: string;
  readonly token_endpoint: string;
  readonly jwks_uri: string;
  readonly mtls_base?: string;
  readonly ca_file?: string;
  readonly admin: {
    readonly client_id: string;
    /** Only when this start created the admin. */
    readonly client_secret?: string;
    readonly resource: string;
    readonly api: string;
  };
}

export interface RunningAuthority {
  readonly ready: ReadyFile;
  /** Where that was written, if anywhere. */
  readonly readyFile: string | undefined;
  /** Address of the web console; undefined: none is served. */
  readonly console: string | undefined;
  /** Not ready, finish what is in flight, flush the audit log, close. */
  stop(): Promise<void>;
}

const HEADER_BYTES = 16 * 1024;

/** Starts the authority: settings → port → adapters → declared secrets → admin → declared objects → jobs → ready. Throws `SettingError`. */
export async function startAuthority(options: AuthorityOptions): Promise<RunningAuthority> {
  const deployment = toDeployment(options.mode, loadSettings(options));
  const node = randomBytes(5).toString('hex');
  let draining = false;
  await preparePlaces(deployment);
  const certificate = serverCertificate(deployment);
  certificate.catch(() => undefined);
  const [{ compose }, { createLogger }] = await Promise.all([
    import('./compose.ts'),
    import('./telemetry/logger.ts'),
  ]);
  const logger = createLogger(deployment.logLevel, node);
  const edge = await createEdge(deployment, node, logger);
  let composition: Composition | undefined;
  let untold = false;
  try {
    const listening = await listen(edge, deployment, await certificate);
    const consoleFolder = deployment.console ? options.consoleFolder : undefined;
    const running = (composition = await compose({
      deployment,
      ...listening,
      version: VERSION,
      node,
      clock: systemClock,
      random: pooledRandom(),
      logger,
      draining: () => draining,
      consoleFolder,
    }));
    const declared = await readDeclared(deployment, running);
    const admin = await running.ensureAdmin();
    untold = admin.secret !== undefined;
    if (deployment.mode === 'dev' && admin.secret !== undefined) {
      await keepAdminSecret(deployment, admin.secret);
      untold = false;
    }
    if (declared.length > 0) await applyDeclared(deployment, running, declared);
    await running.jobs.start();
    await edge.serve(running.routes);
    const ready = toReadyFile(listening, running, admin);
    await announce(deployment, ready);
    untold = false;
    return {
      ready,
      readyFile: deployment.readyFile,
      console: consoleFolder === undefined ? undefined : `${ready.issuer}/console`,
      async stop() {
        draining = true;
        running.release();
        await edge.drain(deployment.drainTimeout * 1000);
        await running.jobs.stop();
        await running.close();
        if (deployment.readyFile !== undefined) await rm(deployment.readyFile, { force: true });
      },
    };
  } catch (error) {
    // Nothing stays open behind a start that failed: the process must be able to end, and the next one to begin.
    await edge.drain(0);
    await composition?.jobs.stop();
    // What stopped the start is what is told, also where this cannot be written any more.
    if (untold) await composition?.adminUntold().catch(() => undefined);
    await composition?.close();
    throw error;
  }
}

async function createEdge(deployment: Deployment, node: string, logger: Logger): Promise<HttpEdge> {
  const { createHttpEdge } = await import('./http/fastify-server.ts');
  let requests = 0;
  return createHttpEdge({
    proxies: declaredProxies(deployment.trustedProxies),
    nextRequestId: () => `req_${node}${(requests++).toString(36).padStart(8, '0')}`,
    report: (error, requestId) =>
      logger.error({ err: error, request_id: requestId }, 'a request failed because of a bug'),
    certificateHeader: deployment.certificateHeader,
    clearOnlyFromProxies: deployment.mode === 'serve',
    clock: systemClock,
    limits: {
      headersTimeout: deployment.headersTimeout * 1000,
      requestTimeout: deployment.requestTimeout * 1000,
      keepAliveTimeout: deployment.keepAliveTimeout * 1000,
      maxHeaderBytes: HEADER_BYTES,
      maxConnections: deployment.maxConnections,
    },
  });
}

function declaredProxies(blocks: readonly string[]): TrustedProxies {
  try {
    return trustedProxies(blocks);
  } catch (error) {
    const fix = 'Write addresses (10.0.0.1) or blocks of them (10.0.0.0/8).';
    throw new SettingError('trusted-proxy', `is refused: ${(error as Error).message}`, fix);
  }
}

interface Listening extends Pick<ComposeDeps, 'issuer' | 'mtlsBase'> {
  readonly caFile: string | undefined;
}

async function listen(
  edge: HttpEdge,
  deployment: Deployment,
  { tls, caFile }: ServerCertificate,
): Promise<Listening> {
  const { host } = deployment;
  if (deployment.mtlsPort !== undefined && tls === undefined) {
    throw new SettingError('mtls-port', 'needs TLS', 'Give tls-cert and tls-key.');
  }
  const port = await edge.listen({ host, port: deployment.port, tls });
  let mtlsBase = deployment.mtlsUrl;
  if (deployment.mtlsPort !== undefined) {
    // Which certificates are good is for each credential to say, not for one list of this listener.
    const asking = { ...tls, requestCert: true, rejectUnauthorized: false };
    const mtlsPort = await edge.listen({ host, port: deployment.mtlsPort, tls: asking });
    const { hostname, pathname } = new URL(deployment.issuer ?? 'https://localhost');
    mtlsBase ??= `https://${hostname}:${mtlsPort}${pathname.replace(/\/$/, '')}`;
  }
  const scheme = tls === undefined ? 'http' : 'https';
  return { issuer: deployment.issuer ?? `${scheme}://localhost:${port}`, mtlsBase, caFile };
}

/** `dev` keeps the admin's secret beside its data, for the command line of the same person. */
async function keepAdminSecret(deployment: Deployment, secret: string): Promise<void> {
  await replaceSecretFile(join(deployment.dataDir, 'admin.secret'), `${secret}\n`);
}

/** Before anything is made: a file that cannot be read, or a secret that cannot be kept, stops the start. */
async function readDeclared(deployment: Deployment, composition: Composition): Promise<readonly unknown[]> {
  if (deployment.apply.length === 0) return [];
  const { readDeclaredFiles } = await import('./config/declared-files.ts');
  return await readDeclaredFiles(
    deployment.apply.map((path) => resolve(path)),
    { hasSecret: composition.hasSecret, createSecretFile, random: pooledRandom() },
  );
}

async function applyDeclared(
  deployment: Deployment,
  composition: Composition,
  declared: readonly unknown[],
): Promise<void> {
  try {
    await composition.apply(declared);
  } catch (error) {
    const { extensions } = error as { readonly extensions?: Pick<DeclaredRefused, 'errors'> };
    if (extensions?.errors === undefined) throw error;
    const declaredFiles = await import('./config/declared-files.ts');
    throw new declaredFiles.DeclaredRefused(
      deployment.apply.map((path) => resolve(path)),
      error as Error,
      extensions.errors,
    );
  }
}

function toReadyFile(
  { issuer, mtlsBase, caFile }: Listening,
  composition: Composition,
  admin: { readonly clientId: string; readonly secret: string | undefined },
): ReadyFile {
  return {
    pid: process.pid,
    version: VERSION,
    issuer,
    token_endpoint: `${issuer}/oauth/token`,
    jwks_uri: `${issuer}/oauth/jwks`,
    ...(mtlsBase === undefined ? {} : { mtls_base: mtlsBase }),
    ...(caFile === undefined ? {} : { ca_file: caFile }),
    admin: {
      client_id: admin.clientId,
      ...(admin.secret === undefined ? {} : { client_secret: admin.secret }),
      resource: composition.adminResource,
      api: composition.adminResource,
    },
  };
}

/** Whole or not at all: who waits for the file may read it the moment it is there. */
async function announce(deployment: Deployment, ready: ReadyFile): Promise<void> {
  if (deployment.readyFile === undefined) return;
  await replaceSecretFile(resolve(deployment.readyFile), `${JSON.stringify(ready)}\n`);
}
