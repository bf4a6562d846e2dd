export {
  type AuthorityOptions,
  type ReadyFile,
  type RunningAuthority,
  SettingError,
  startAuthority,
} from './main.ts';
