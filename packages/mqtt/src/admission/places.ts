/** How many connections one identity has. */
export interface Places {
  take(client: string): boolean;
  leave(client: string): void;
}

/** How many connections each identity has, of at most so many. */
export function createPlaces(most: number): Places {
  const taken = new Map<string, number>();
  return {
    take(client) {
      const now = taken.get(client) ?? 0;
      if (now >= most) return false;
      taken.set(client, now + 1);
      return true;
    },
    leave(client) {
      const now = taken.get(client) ?? 0;
      if (now > 1) taken.set(client, now - 1);
      else taken.delete(client);
    },
  };
}
