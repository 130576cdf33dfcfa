/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_PAGE_ASSETS_H
#define PSP_REPORT_PAGE_ASSETS_H
/**
 * @file The files that the page is made of, embedded when the library is built: our own modules and
 * style, and dygraphs (Debian's libjs-dygraphs, MIT licence; its licence line is kept in the text).
 */
typedef struct psp_asset {
  const char *name; /**< "page.css", or a module's name */
  const char *text; /**< zero-terminated: none of them holds a zero byte */
} psp_asset;

/** Those of our own modules that the page imports as "psprobe/NAME"; ended by a NULL name. */
extern const psp_asset psp_asset_modules[];
extern const psp_asset psp_asset_style;
extern const psp_asset psp_asset_dygraph_script;
extern const psp_asset psp_asset_dygraph_style;

#endif
