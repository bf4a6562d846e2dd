/** Days, hours and where they are counted. Instants are found in the zone, so that summer time is its business. */
export interface TimeWindow {
  readonly days: readonly ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[];
  /** HH:MM, included. */
  readonly from: string;
  /** HH:MM or 24:00, excluded; before `from`: on the day after. */
  readonly to: string;
  /** IANA time zone. */
  readonly time_zone: string;
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const MINUTES_A_DAY = 1440;

/** Whether the instant (epoch ms) lies in the window. */
export function isWithin({ days, from, to, time_zone }: TimeWindow, at: number): boolean {
  const local = localTime(time_zone, at);
  if (local === undefined) return false;
  const { day, minute } = local;
  const begin = minuteOf(from);
  const end = minuteOf(to);
  if (begin < end) return days.includes(DAYS[day] as never) && minute >= begin && minute < end;
  // Over midnight: the day that is named is the one on which it begins.
  const yesterday = DAYS[(day + 6) % 7];
  return (
    (days.includes(DAYS[day] as never) && minute >= begin) ||
    (days.includes(yesterday as never) && minute < end)
  );
}

function minuteOf(text: string): number {
  return Math.min(MINUTES_A_DAY, Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5)));
}

/** Making one costs more than a token; there are as many as there are zones in use. */
const FORMATS = new Map<string, Intl.DateTimeFormat>();
const MOST_FORMATS = 1000;

/** Day of the week (0: Sunday) and minute of the day in the zone. Undefined: the platform does not know the zone. */
function localTime(zone: string, at: number): { day: number; minute: number } | undefined {
  let format = FORMATS.get(zone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        weekday: 'short',
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
      });
    } catch {
      return undefined;
    }
    if (FORMATS.size >= MOST_FORMATS) FORMATS.clear();
    FORMATS.set(zone, format);
  }
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const day = DAYS.indexOf((parts.get('weekday') ?? '').toLowerCase() as (typeof DAYS)[number]);
  return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
}
