/** The folder of what a browser loads, with `site.json`, which names the files. The authority serves it at `/console`. */
export const SITE: URL = new URL('./site/', import.meta.url);
