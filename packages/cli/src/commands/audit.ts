import type { LoggedAuditEvent } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { buildNoun } from '../noun/noun-command.ts';

export const audit: RouteMap<CliContext> = buildNoun<LoggedAuditEvent>(
  {
    name: 'audit',
    brief: 'What happened',
    argument: 'EVENT',
    none: 'There are no such events.',
    presentation: {
      name: (event) => event.id,
      columns: [
        { header: 'SEQ', value: (event) => String(event.seq) },
        { header: 'AT', value: (event) => event.at },
        { header: 'TYPE', value: (event) => event.type },
        { header: 'OUTCOME', value: (event) => event.outcome },
        { header: 'IDENTITY', value: (event) => event.identity ?? '' },
        { header: 'RESOURCE', value: (event) => event.resource ?? '' },
        { header: 'REASON', value: (event) => event.reason ?? '' },
        { header: 'REQUEST', value: (event) => event.request_id ?? '' },
      ],
    },
  },
  {
    events: {
      operation: 'audit.events',
      follows: true,
      examples: [
        '--from 1h --outcome refused',
        '--identity payments --type token.issued --all -o ndjson',
        '--outcome refused --follow',
      ],
      overrides: {
        type: { brief: 'Of this type, such as token.refused' },
        jti: { brief: 'About this token' },
        parent: { brief: 'Tokens that were exchanged for this one' },
        request_id: { brief: 'Of this request' },
        resource: { brief: 'About this API or record' },
        outcome: { brief: 'That ended so' },
        from: { span: 'back', brief: 'From this time on; 1h is an hour ago' },
        to: { span: 'back', brief: 'Before this time' },
      },
    },
  },
);
