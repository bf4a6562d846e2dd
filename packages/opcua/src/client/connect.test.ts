// A session that is kept with fresh tokens, by node-opcua's own client.
import { type AccessToken, TokenError } from '@countersign/client';
import { expect, test, vi } from 'vitest';
import { newClient, statusOfRead, subscribe } from '../../test/plant.ts';
import { openScene } from '../../test/scene.ts';
import { type ConnectOptions, connectOpcUa, type OpcUaConnection } from './connect.ts';
import type { ConnectionError } from './connection-error.ts';

const scene = openScene();

/** Where tokens come from: one for ten minutes, kept for a while or until it was rejected. */
class Tokens {
  refuse: TokenError | undefined;
  claims: object = {};
  /** Seconds after which another one is made. */
  keepFor = 300;
  made = 0;
  #kept: AccessToken | undefined;
  #madeAt = 0;

  readonly token = async (): Promise<AccessToken> => {
    if (this.refuse !== undefined) throw this.refuse;
    const now = Date.now() / 1000;
    if (this.#kept === undefined || now >= this.#madeAt + this.keepFor) {
      this.#madeAt = now;
      const expiresAt = Math.ceil(now) + 600;
      const accessToken = await scene.issuer.token({ scope: 'opcua.read', exp: expiresAt, ...this.claims });
      this.#kept = { accessToken, tokenType: 'Bearer', scope: 'opcua.read', expiresAt };
      this.made++;
    }
    return this.#kept;
  };

  readonly authorize = async () => ({
    headers: { authorization: '' },
    again: () => {
      this.#kept = undefined;
      return true;
    },
  });
}

function connect(
  tokens: Tokens,
  more: Partial<ConnectOptions<ReturnType<typeof newClient>>> = {},
): Promise<OpcUaConnection<ReturnType<typeof newClient>>> {
  return connectOpcUa(scene.opcua, {
    opcUaClient: newClient(scene.opcua, scene.panel, 'SignAndEncrypt', 'Basic256Sha256', 100),
    endpointUrl: scene.press.url,
    client: tokens,
    resource: scene.machine.uri,
    ...more,
  }) as Promise<OpcUaConnection<ReturnType<typeof newClient>>>;
}

/** To the connection, tokens have a few seconds left; to everybody else, minutes. */
const almostOver = (): number => Date.now() + 597_000;

const why = (promise: Promise<unknown>): Promise<ConnectionError> =>
  promise.then(
    () => Promise.reject(new Error('it was opened')),
    (error: ConnectionError) => error,
  );

test('a session is renewed before its token expires, and stays the same', async () => {
  const tokens = new Tokens();
  tokens.keepFor = 1;
  const onRenewed = vi.fn<() => void>();
  const connection = await connect(tokens, { onRenewed, now: almostOver });
  const before = connection.session.sessionId.toString();
  await expect.poll(() => onRenewed.mock.calls.length, { timeout: 10_000 }).toBeGreaterThan(1);
  expect(tokens.made).toBeGreaterThan(2);
  expect(connection.session.sessionId.toString()).toBe(before);
  expect(await statusOfRead(scene.opcua, connection.session, scene.press.nodes.temperature)).toBe('Good');
  await connection.close();
  expect((await connection.ended).code).toBe('closed');
});

test('a lost connection is taken up again on the same session, by a token of then', async () => {
  const { opcua, press } = scene;
  const tokens = new Tokens();
  const connection = await connect(tokens);
  const { session } = connection;
  const before = session.authenticationToken.toString();
  const { values } = await subscribe(opcua, session, press.nodes.temperature);
  await expect.poll(() => values.length).toBe(1);
  // The first token is dead by now, as far as its client knows.
  (await tokens.authorize()).again();
  const restored = new Promise((resolve) => session.once('session_restored', resolve));
  for (const endpoint of press.server.endpoints)
    for (const channel of endpoint.getChannels()) channel.abruptlyInterrupt();
  await restored;
  expect(tokens.made).toBe(2);
  expect(session.authenticationToken.toString()).toBe(before);
  expect(await statusOfRead(opcua, session, press.nodes.temperature)).toBe('Good');
  press.nodes.temperature.setValueFromSource({ dataType: opcua.DataType.Double, value: 190 });
  await expect.poll(() => values.at(-1)).toBe(190);
  press.nodes.temperature.setValueFromSource({ dataType: opcua.DataType.Double, value: 180 });
  await connection.close();
});

test('another caller does not take the session up over another channel', async () => {
  const { press } = scene;
  const tokens = new Tokens();
  const connection = await connect(tokens);
  const { session } = connection;
  const before = session.authenticationToken.toString();
  (await tokens.authorize()).again();
  tokens.claims = { client_id: 'thief', sub: 'thief' };
  const restored = new Promise((resolve) => session.once('session_restored', resolve));
  for (const endpoint of press.server.endpoints)
    for (const channel of endpoint.getChannels()) channel.abruptlyInterrupt();
  await restored;
  expect(press.events.map(({ reason }) => reason)).toContain('renewed_by_another');
  expect(session.authenticationToken.toString()).not.toBe(before);
  await connection.close();
});

test('a session that the server has closed is opened anew, by another token', async () => {
  const { opcua, press } = scene;
  const connection = await connect(new Tokens());
  press.server.engine.closeSession(connection.session.authenticationToken, true, 'Terminated');
  expect(await statusOfRead(opcua, connection.session, press.nodes.temperature)).toBe('Good');
  await connection.close();
});

test('a session that has ended is opened anew when its renewal is due, though nobody sends anything', async () => {
  const { press } = scene;
  const tokens = new Tokens();
  tokens.keepFor = 1;
  const connection = await connect(tokens, { now: almostOver });
  const before = connection.session.authenticationToken;
  press.server.engine.closeSession(before, true, 'Terminated');
  await expect
    .poll(() => connection.session.authenticationToken.toString(), { timeout: 15_000 })
    .not.toBe(before.toString());
  await connection.close();
});

test('when the authority gives no more tokens the client gives up and says so', async () => {
  const { press } = scene;
  const tokens = new Tokens();
  const others = press.guard.sessions();
  const connection = await connect(tokens);
  tokens.refuse = new TokenError('refused', 'no', { error: 'invalid_client' });
  press.server.engine.closeSession(connection.session.authenticationToken, true, 'Terminated');
  void connection.session
    .read({ nodeId: press.nodes.temperature.nodeId, attributeId: 13 })
    .catch(() => undefined);
  const ended = await connection.ended;
  expect(ended).toMatchObject({ code: 'refused_by_authority', cause: tokens.refuse });
  expect(press.guard.sessions()).toEqual(others);
});

test('when the server takes no more tokens the client gives up and says so, whatever the authority gives', async () => {
  const { press } = scene;
  const tokens = new Tokens();
  const connection = await connect(tokens);
  tokens.claims = { aud: 'urn:plant.example:press-8' };
  (await tokens.authorize()).again();
  press.server.engine.closeSession(connection.session.authenticationToken, true, 'Terminated');
  void connection.session
    .read({ nodeId: press.nodes.temperature.nodeId, attributeId: 13 })
    .catch(() => undefined);
  const ended = await connection.ended;
  expect(ended).toMatchObject({ code: 'refused_by_server', status: 'BadIdentityTokenRejected' });
  // Three attempts with a token of their own each, and then no more.
  const { made } = tokens;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(tokens.made).toBe(made);
});

test('a client that was cut off hears of it once from the server, and then asks nobody but the authority', async () => {
  const { press } = scene;
  const tokens = new Tokens();
  const connection = await connect(tokens);
  tokens.claims = { aud: 'urn:plant.example:press-8' };
  (await tokens.authorize()).again();
  const refusals = (): number => press.events.filter(({ type }) => type === 'refused').length;
  const before = refusals();
  const again = (): boolean => {
    tokens.refuse = new TokenError('refused', 'no', { error: 'invalid_client' });
    return true;
  };
  Object.assign(tokens, { authorize: async () => ({ headers: { authorization: '' }, again }) });
  press.server.engine.closeSession(connection.session.authenticationToken, true, 'Terminated');
  void connection.session
    .read({ nodeId: press.nodes.temperature.nodeId, attributeId: 13 })
    .catch(() => undefined);
  expect(await connection.ended).toMatchObject({ code: 'refused_by_authority', cause: tokens.refuse });
  expect(refusals()).toBe(before + 1);
});

test('the first session is opened or refused, with the reason', async () => {
  const tokens = new Tokens();
  tokens.claims = { scope: 'orders.read' };
  expect(await why(connect(tokens))).toMatchObject({
    code: 'refused_by_server',
    status: 'BadUserAccessDenied',
  });
  tokens.refuse = new TokenError('refused', 'no', { error: 'invalid_scope' });
  expect(await why(connect(tokens))).toMatchObject({ code: 'refused_by_authority' });
  tokens.refuse = new TokenError('unreachable', 'nobody there');
  expect(await why(connect(tokens))).toMatchObject({ code: 'unreachable' });
});

test('a token is not sent where it cannot be encrypted, nor where none is taken', async () => {
  const open = { opcUaClient: newClient(scene.opcua, scene.panel, 'None', 'None') };
  expect(await why(connect(new Tokens(), open))).toMatchObject({ code: 'tokens_not_taken' });
});

test('a token that is bound to a DPoP key is of no use here', async () => {
  const tokens = new Tokens();
  const dpop = {
    token: async () => ({ ...(await tokens.token()), tokenType: 'DPoP' as const }),
    authorize: tokens.authorize,
  };
  expect(await why(connect(dpop as Tokens))).toMatchObject({ code: 'unusable_token' });
});
