import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import type { Allowed } from '../decision/decide.ts';
import type { Ledger } from '../telemetry/ledger.ts';
import { relay } from './answer.ts';

it('an answer for a caller who has just gone goes nowhere, and breaks nothing', () => {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const answered = Object.assign(new IncomingMessage(new Socket()), { statusCode: 200 });
  answered.push('content');
  // Its listeners hear of the end a moment later: until then the upstream may answer.
  response.destroy();
  relay(answered, response, { headers: {} } as Allowed, { ledger: {} as Ledger });
  expect(answered.destroyed).toBe(true);
  expect(response.headersSent).toBe(false);
});
