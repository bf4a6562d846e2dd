// No RFC: why a report of what was used was not taken.

/** The authority has read a report and will never take it. */
export class ReportRefused extends Error {
  readonly code = 'report_refused' as const;
  readonly status: number;

  constructor(status: number) {
    super(`the authority refuses the report: ${status}`);
    this.name = 'ReportRefused';
    this.status = status;
  }
}
