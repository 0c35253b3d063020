// Where the package and its code are. Every file that the package reads at run time is found from here.
//
// Both URLs are right wherever this module may be, for each place is two folders below the package: `src/package/`,
// `dist/package/`, and `dist/cli/`, where the build puts the files of the command (scripts/build.mjs).

/** The folder of the package, with `package.json` and `lua/`. */
export const PACKAGE_FOLDER = new URL('../../', import.meta.url)

/** The folder of the code that runs: `src/` within the tests, `dist/` everywhere else. */
export const CODE_FOLDER = new URL('../', import.meta.url)
