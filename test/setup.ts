// Properties draw the same cases in every run; a failure of today is a failure of tomorrow.
import fc from "fast-check";
import { afterAll } from "vitest";

fc.configureGlobal({ seed: 20_261_123 });

// A file that names a cache of its own does not name it for the next file of the same process, too.
const { SOFTBOX_CACHE } = process.env;
afterAll(() => {
  if (SOFTBOX_CACHE === undefined) delete process.env.SOFTBOX_CACHE;
  else process.env.SOFTBOX_CACHE = SOFTBOX_CACHE;
});
