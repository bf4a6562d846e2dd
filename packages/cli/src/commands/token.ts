import { buildRouteMap, type RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { withExamples } from '../help.ts';
import { tokenGet } from './token-get.ts';
import { tokenInspect } from './token-inspect.ts';
import { tokenTrace } from './token-trace.ts';
import { tokenVerify } from './token-verify.ts';

const map = buildRouteMap<string, CliContext>({
  routes: { get: tokenGet, inspect: tokenInspect, trace: tokenTrace, verify: tokenVerify },
  docs: { brief: 'Get, inspect, verify and trace tokens' },
});

export const token: RouteMap<CliContext> = withExamples(map, [
  'token get --resource https://fraud.example',
  'token get --resource https://fraud.example | countersign token inspect',
  'token get --resource https://fraud.example | countersign token verify --audience https://fraud.example',
  'token trace q83vEjRWeJCrze8SNFZ4kA',
]);
