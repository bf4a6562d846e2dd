import { buildRouteMap, type RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { withExamples } from '../help.ts';
import { adminReset } from './admin-reset.ts';

const map = buildRouteMap<string, CliContext>({
  routes: { reset: adminReset },
  docs: { brief: 'On the host of the authority: get back in' },
});

export const admin: RouteMap<CliContext> = withExamples(map, ['admin reset --data-dir /var/lib/countersign']);
