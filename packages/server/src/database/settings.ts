import type { SettingStore } from '../storage/settings.ts';
import { type Session, statement } from './database.ts';

const selectSetting = statement('settings_get', 'SELECT value FROM settings WHERE name = $1');
const insertSetting = statement(
  'settings_set_once',
  'INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING',
);
const putSetting = statement(
  'settings_set',
  `INSERT INTO settings (name, value) VALUES ($1, $2)
   ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
);

export function settingStore(session: Session): SettingStore {
  return {
    get: async (name) => (await session.query<{ value: string }>(selectSetting, [name]))[0]?.value,
    setOnce: async (name, value) => (await session.run(insertSetting, [name, value])) === 1,
    set: async (name, value) => {
      await session.run(putSetting, [name, value]);
    },
  };
}
