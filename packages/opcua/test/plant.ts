// A plant for tests: a node-opcua server with a press in it, and node-opcua clients, each an application with a certificate of its own.
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Verifier } from '@countersign/resource-server';
import { acceptTokens, type AcceptTokensOptions, type SessionEvent, type TokenGuard } from '../src/index.ts';
import { sealToken } from '../src/client/seal-token.ts';
import { loadPeer } from './peer.ts';

type Peer = NonNullable<Awaited<ReturnType<typeof loadPeer>>['opcua']>;

export const PRESS = 'urn:plant.example:press-7';

export interface Application {
  readonly uri: string;
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  /** DER. */
  readonly certificate: Buffer;
  /** As tokens name a certificate: RFC 8705 section 3.1. */
  readonly thumbprint: string;
  readonly manager: Peer;
}

export interface PlantOptions extends Partial<Omit<AcceptTokensOptions, 'verifier'>> {
  readonly modes?: readonly string[];
}

/** Applications with real certificates, made once for a file of tests: keys take their time. */
export class Plant {
  readonly opcua: Peer;
  readonly #folder = mkdtempSync(join(tmpdir(), 'countersign-plant-'));
  readonly #closing: (() => unknown)[] = [];
  #applications = 0;

  constructor(opcua: Peer) {
    this.opcua = opcua;
    // What it says of strangers and of the platform is expected here.
    opcua.setWarningLogger(() => undefined);
    opcua.setErrorLogger(() => undefined);
  }

  /** An application with a key and a self-signed certificate (OPC 10000-6 §6.2.2). */
  async application(uri: string): Promise<Application> {
    const { opcua } = this;
    const rootFolder = join(this.#folder, `pki-${++this.#applications}`);
    const manager = new opcua.OPCUACertificateManager({
      automaticallyAcceptUnknownCertificate: false,
      rootFolder,
    });
    await manager.initialize();
    const certificateFile = join(rootFolder, 'own/certs/certificate.pem');
    await manager.createSelfSignedCertificate({
      applicationUri: uri,
      dns: ['localhost'],
      ip: ['127.0.0.1'],
      outputFile: certificateFile,
      startDate: new Date(Date.now() - 60_000),
      subject: `/CN=${uri.split(':').pop()}`,
      validity: 30,
    });
    const certificate = new X509Certificate(readFileSync(certificateFile)).raw;
    const thumbprint = createHash('sha256').update(certificate).digest('base64url');
    const application = {
      uri,
      certificateFile,
      privateKeyFile: manager.privateKey,
      certificate,
      thumbprint,
      manager,
    };
    this.#closing.push(() => manager.dispose());
    return application;
  }

  /** One trusts the other's certificate, and nothing else. */
  async trust(one: Application, other: Application): Promise<void> {
    await one.manager.trustCertificate(other.certificate);
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A press that takes tokens: a temperature, a speed, a recipe that only engineers see, and a method. */
  async press(
    application: Application,
    verifier: Pick<Verifier, 'watch' | 'verify'>,
    options: PlantOptions = {},
  ): Promise<Press> {
    const { opcua } = this;
    const { modes = ['SignAndEncrypt', 'Sign', 'None'], ...accept } = options;
    const server = new opcua.OPCUAServer({
      port: 0,
      hostname: '127.0.0.1',
      serverInfo: { applicationUri: application.uri },
      serverCertificateManager: application.manager,
      userCertificateManager: application.manager,
      certificateFile: application.certificateFile,
      privateKeyFile: application.privateKeyFile,
      securityModes: modes.map((mode) => opcua.MessageSecurityMode[mode]),
      securityPolicies: ['None', 'Basic256Sha256', 'Aes128_Sha256_RsaOaep', 'Aes256_Sha256_RsaPss'].map(
        (name) => opcua.SecurityPolicy[name],
      ),
      allowAnonymous: true,
    });
    await server.initialize();
    const events: SessionEvent[] = [];
    const onEvent = (event: SessionEvent): void => void events.push(event);
    const guard = await acceptTokens(opcua, server, {
      verifier,
      issuer: 'https://issuer.test',
      onEvent,
      ...accept,
    });
    const nodes = addPress(opcua, server);
    await server.start();
    const close = async (): Promise<void> => void (await server.shutdown(0));
    this.#closing.push(close);
    return { server, guard, events, url: server.getEndpointUrl(), nodes, close };
  }
}

export interface Press {
  readonly server: Peer;
  readonly guard: TokenGuard;
  readonly events: SessionEvent[];
  readonly url: string;
  readonly nodes: ReturnType<typeof addPress>;
  close(): Promise<void>;
}

function addPress(opcua: Peer, server: Peer) {
  const { addressSpace } = server.engine;
  const namespace = addressSpace.getOwnNamespace();
  const press = namespace.addObject({
    organizedBy: addressSpace.rootFolder.objects,
    browseName: 'Press',
    eventNotifier: 1,
  });
  const variable = (browseName: string, value: number) =>
    namespace.addVariable({
      componentOf: press,
      browseName,
      dataType: 'Double',
      minimumSamplingInterval: 0,
      value: { dataType: opcua.DataType.Double, value },
    });
  const temperature = variable('Temperature', 180);
  const speed = variable('Speed', 30);
  const recipe = variable('Recipe', 7);
  recipe.setRolePermissions([
    {
      roleId: opcua.resolveNodeId(opcua.WellKnownRoles.Engineer),
      permissions: opcua.makePermissionFlag('Browse | Read | Write'),
    },
  ]);
  const method = namespace.addMethod(press, { browseName: 'Stop', inputArguments: [], outputArguments: [] });
  let stops = 0;
  method.bindMethod((_inputs: unknown, _context: unknown, answer: (error: null, result: object) => void) => {
    stops++;
    answer(null, { statusCode: opcua.StatusCodes.Good, outputArguments: [] });
  });
  return { press, temperature, speed, recipe, method, stops: () => stops };
}

/** What a client sends in the place of a user: OPC 10000-4 §7.40.6, as it likes. */
export type Seal = (context: Peer) => object;

export interface RawSession {
  readonly client: Peer;
  readonly session: Peer;
  /** Whether the server still has the session that was opened: node-opcua's client replaces what it loses. */
  isOpen(): boolean;
  /** ActivateSession once more; the name of the status. */
  activate(seal: Seal): Promise<string>;
  close(): Promise<void>;
}

/** node-opcua's own client, which sends whatever `seal` makes. Rejects with the name of the status. */
export async function openRaw(
  opcua: Peer,
  { server, url }: Pick<Press, 'server' | 'url'>,
  application: Application,
  seal: Seal,
  options: { readonly mode?: string; readonly policy?: string } = {},
): Promise<RawSession> {
  const { mode = 'SignAndEncrypt', policy = 'Basic256Sha256' } = options;
  const client = newClient(opcua, application, mode, policy);
  let sealing = seal;
  client.createUserIdentityToken = (
    context: Peer,
    _info: unknown,
    answer: (error: unknown, made?: object) => void,
  ) => {
    try {
      answer(null, { userIdentityToken: sealing(context), userTokenSignature: {} });
    } catch (error) {
      answer(error);
    }
  };
  const info = { type: opcua.UserTokenType.IssuedToken };
  try {
    await client.connect(url);
    const session = await client.createSession(info);
    const { authenticationToken } = session;
    return {
      client,
      session,
      isOpen: () => Boolean(server.engine.getSession(authenticationToken)),
      activate: (other) =>
        new Promise((resolve) => {
          sealing = other;
          client._activateSession(session, info, (error: Error | null) =>
            resolve(error === null ? 'Good' : nameIn(error)),
          );
        }),
      close: async () => {
        await session.close(true).catch(() => undefined);
        await client.disconnect();
      },
    };
  } catch (error) {
    await client.disconnect();
    throw new Error(nameIn(error as Error), { cause: error });
  }
}

function nameIn({ message }: Error): string {
  return /\bBad[A-Z]\w+/.exec(message)?.[0] ?? message;
}

export function newClient(
  opcua: Peer,
  application: Application,
  mode = 'SignAndEncrypt',
  policy = 'Basic256Sha256',
  maxRetry = 1,
) {
  return opcua.OPCUAClient.create({
    applicationUri: application.uri,
    applicationName: application.uri.split(':').pop(),
    clientCertificateManager: application.manager,
    certificateFile: application.certificateFile,
    privateKeyFile: application.privateKeyFile,
    securityMode: opcua.MessageSecurityMode[mode],
    securityPolicy: opcua.SecurityPolicy[policy],
    endpointMustExist: false,
    connectionStrategy: { maxRetry, initialDelay: 100, maxDelay: 500 },
    requestedSessionTimeout: 60_000,
  });
}

/** The client's own way to do it. */
export function sealed(opcua: Peer, token: string): Seal {
  return (context) => sealToken(opcua, token, context);
}

/** The anonymous identity, as the endpoint offers it. */
export function anonymous(opcua: Peer): Seal {
  return ({ endpoint }) => {
    const { Anonymous } = opcua.UserTokenType;
    const offered = endpoint.userIdentityTokens.find(({ tokenType }: Peer) => tokenType === Anonymous);
    return new opcua.AnonymousIdentityToken({ policyId: offered?.policyId ?? 'anonymous' });
  };
}

/** The name of a status. */
export async function statusOfRead(opcua: Peer, session: Peer, node: Peer): Promise<string> {
  const { statusCode } = await session.read({ nodeId: node.nodeId, attributeId: opcua.AttributeIds.Value });
  return statusCode.name;
}

export async function statusOfWrite(opcua: Peer, session: Peer, node: Peer, value: number): Promise<string> {
  const statusCode = await session.write({
    nodeId: node.nodeId,
    attributeId: opcua.AttributeIds.Value,
    value: { value: { dataType: opcua.DataType.Double, value } },
  });
  return statusCode.name;
}

export async function statusOfCall(session: Peer, press: Press): Promise<string> {
  const { statusCode } = await session.call({
    objectId: press.nodes.press.nodeId,
    methodId: press.nodes.method.nodeId,
  });
  return statusCode.name;
}

/** Subscribes to every change of a node; `values` are what has been delivered. */
export async function subscribe(
  opcua: Peer,
  session: Peer,
  node: Peer,
  attributeId = opcua.AttributeIds.Value,
) {
  const subscription = await session.createSubscription2({
    requestedPublishingInterval: 50,
    requestedLifetimeCount: 1000,
    requestedMaxKeepAliveCount: 20,
    maxNotificationsPerPublish: 100,
    publishingEnabled: true,
    priority: 1,
  });
  const isEvent = attributeId === opcua.AttributeIds.EventNotifier;
  const item = opcua.ClientMonitoredItem.create(
    subscription,
    { nodeId: node.nodeId, attributeId },
    {
      samplingInterval: 0,
      queueSize: 10,
      discardOldest: true,
      ...(isEvent ? { filter: opcua.constructEventFilter(['Message']) } : {}),
    },
  );
  const values: number[] = [];
  item.on('changed', (changed: Peer) => void values.push(changed.value?.value));
  const status = await new Promise<string>((resolve) => {
    item.once('initialized', () => resolve('Good'));
    item.once('err', (message: string) => resolve(nameIn(new Error(message))));
  });
  return { status, values };
}
