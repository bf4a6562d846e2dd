import type { Dialect } from '../database.ts';

/** A certificate knows the one that it was renewed from, and until when one before it in its line counted. */
export function certificateLines(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  return [
    `ALTER TABLE certificates ADD COLUMN renewed_from ${text}`,
    'ALTER TABLE certificates ADD COLUMN line_ends_at BIGINT NOT NULL DEFAULT 0',
    'UPDATE certificates SET line_ends_at = not_after',
    'CREATE INDEX certificates_renewed_from ON certificates (renewed_from)',
    'DROP INDEX certificates_end',
    'CREATE INDEX certificates_line_end ON certificates (line_ends_at)',
  ];
}
