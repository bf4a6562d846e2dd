/** One setting, with all that is said of it. */
export interface SettingDefinition {
  /** Flag name; the environment variable is COUNTERSIGN_<NAME> with `-` as `_`; the YAML key is the flag name. */
  readonly name: string;
  readonly type: 'string' | 'path' | 'url' | 'integer' | 'duration' | 'boolean' | 'list';
  /** As text, in the form a user would write. Undefined: unset. */
  readonly default?: string;
  /** For integers and durations (seconds): inclusive. */
  readonly minimum?: number;
  readonly maximum?: number;
  readonly values?: readonly string[];
  readonly doc: string;
  /** It may hold a secret: may be given as a file through COUNTERSIGN_<NAME>_FILE, which no list of processes shows. */
  readonly secret?: boolean;
  readonly only?: 'dev' | 'serve';
}
