import type { SettingDefinition } from './setting-definition.ts';
import { CREDENTIALS } from './settings/credentials.ts';
import { GOVERNANCE } from './settings/governance.ts';
import { LISTENING } from './settings/listening.ts';
import { MAIL } from './settings/mail.ts';
import { RATES } from './settings/rates.ts';
import { STARTING } from './settings/starting.ts';
import { TOKENS } from './settings/tokens.ts';

/** Every setting by its subject, under the title that docs/reference/config.md gives it, which is made from this table. */
export const SETTINGS_BY_SUBJECT: readonly (readonly [string, readonly SettingDefinition[]])[] = [
  ['How it is reached', LISTENING],
  ['What it starts from', STARTING],
  ['Tokens and the keys that sign them', TOKENS],
  ['How much one caller may ask for', RATES],
  ['Credentials', CREDENTIALS],
  ['Owners, approvals and what time does', GOVERNANCE],
  ['Mail', MAIL],
];

/** All of them. */
export const SETTINGS: readonly SettingDefinition[] = SETTINGS_BY_SUBJECT.flatMap(([, settings]) => settings);
