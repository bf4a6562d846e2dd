/** One thing that was looked at. `skip`: could not be, because of an earlier one. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  readonly detail: string;
  readonly fix?: string | undefined;
}

export function ok(check: string, detail: string): Finding {
  return { check, status: 'ok', detail };
}

export function warn(check: string, detail: string, fix?: string): Finding {
  return { check, status: 'warn', detail, fix };
}

export function fail(check: string, detail: string, fix?: string): Finding {
  return { check, status: 'fail', detail, fix };
}

export function skip(check: string, detail: string): Finding {
  return { check, status: 'skip', detail };
}
