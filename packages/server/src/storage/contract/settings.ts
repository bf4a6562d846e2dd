import { expect, it } from 'vitest';
import { freshId } from './records.ts';
import type { Subject } from './subject.ts';

export function settingContract({ storage }: Subject): void {
  it('sets and replaces', async () => {
    const name = freshId('setting');
    expect(await storage().settings.get(name)).toBeUndefined();
    await storage().settings.set(name, 'one');
    await storage().settings.set(name, 'two');
    expect(await storage().settings.get(name)).toBe('two');
  });

  it('lets exactly one of 20 parallel writers set it once', async () => {
    const name = freshId('setting');
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => storage().settings.setOnce(name, String(index))),
    );
    expect(results.filter((result) => result)).toHaveLength(1);
    expect(await storage().settings.get(name)).toBe(String(results.indexOf(true)));
    expect(await storage().settings.setOnce(name, 'late')).toBe(false);
    expect(await storage().settings.get(name)).toBe(String(results.indexOf(true)));
  });

  it('refuses NUL in text instead of cutting it off', async () => {
    await expect(storage().settings.set('nul', 'a\0b')).rejects.toThrow(TypeError);
    await expect(storage().identities.byClientId('a\0b')).rejects.toThrow(TypeError);
    expect(await storage().settings.get('nul')).toBeUndefined();
  });

  it('keeps text of any script and length', async () => {
    const text = `${'ß€𝄞'.repeat(20_000)}\u001f"'\\;--`;
    await storage().settings.set('text', text);
    expect(await storage().settings.get('text')).toBe(text);
  });
}
