import { buildRouteMap, type RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { withExamples } from '../help.ts';
import { tokenGet } from './token-get.ts';
import { tokenInspect } from './token-inspect.ts';
import { tokenVerify } from './token-verify.ts';

const map = buildRouteMap<string, CliContext>({
  routes: { get: tokenGet, inspect: tokenInspect, verify: tokenVerify },
  docs: { brief: 'Get, inspect and verify tokens' },
});

export const token: RouteMap<CliContext> = withExamples(map, [
  'token get --resource https://fraud.example',
  'token get --resource https://fraud.example | countersign token inspect',
  'token get --resource https://fraud.example | countersign token verify --audience https://fraud.example',
]);
