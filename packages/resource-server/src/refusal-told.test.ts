// Who runs the API hears why a request was refused, whatever guard stood before it.
import { expect, it, vi } from 'vitest';
import { verifierScene } from '../test/verifier-scene.ts';
import { requireScope as expressGuard } from './frameworks/express.ts';
import type { Refusal } from './refusal.ts';
import { requireScope, watchScope } from './require-scope.ts';

const scene = verifierScene();

it('onRefusal hears of each refusal once, with its reason, and of nothing else', async () => {
  const heard: Refusal[] = [];
  const verifier = scene.open({ onRefusal: (refusal) => heard.push(refusal) });
  const guard = expressGuard(verifier, 'fraud:read');
  const response = { statusCode: 200, setHeader: () => undefined, end: () => undefined };
  const ask = async (headers: Record<string, string>) => guard({ headers }, response, () => undefined);

  await ask({ authorization: `Bearer ${scene.tiny.token()}` });
  expect(heard).toEqual([]);
  await ask({});
  await ask({ authorization: `Bearer ${scene.tiny.token({ aud: 'https://other.example' })}` });
  await ask({ authorization: `Bearer ${scene.tiny.token({ scope: 'fraud:list' })}` });
  await watchScope(verifier, { headers: { authorization: 'Bearer x' } }, 'fraud:read');
  expect(heard.map(({ reason, detail, status }) => [reason, detail, status])).toEqual([
    ['no_token', undefined, 401],
    ['wrong_audience', undefined, 401],
    ['insufficient_scope', undefined, 403],
    ['malformed_token', 'not_a_jwt', 401],
  ]);
});

it('a fault in onRefusal changes no answer', async () => {
  const onRefusal = vi.fn<() => void>(() => {
    throw new Error('the log is full');
  });
  const request = { headers: { authorization: 'Bearer x' }, url: '/scores' };
  expect(await requireScope(scene.open({ onRefusal }), request, 'fraud:read')).toMatchObject({
    ok: false,
    reason: 'malformed_token',
  });
  expect(onRefusal).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ status: 401 }), request);
});
