/** Facts about the deployment itself, e.g. its master-key check value. Not configuration. */
export interface SettingStore {
  get(name: string): Promise<string | undefined>;
  /** True when it was absent and is now set; false when it was there (unchanged). */
  setOnce(name: string, value: string): Promise<boolean>;
  set(name: string, value: string): Promise<void>;
}
