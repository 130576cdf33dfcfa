/* SPDX-License-Identifier: MIT */
#include "report/page/assets.h"

#include <stddef.h>

/* The assembler takes the files in whole and a zero byte behind each. Paths are seen from the
 * repository's root, where make runs; PSP_DYGRAPHS comes from the Makefile. */
#define EMBED(symbol, path)        \
  __asm__(                         \
      ".section .rodata\n"         \
      ".hidden psp_asset_" #symbol \
      "\n"                         \
      ".globl psp_asset_" #symbol  \
      "\n"                         \
      "psp_asset_" #symbol         \
      ":\n"                        \
      ".incbin \"" path            \
      "\"\n"                       \
      ".byte 0\n"                  \
      ".text\n");                  \
  extern const char psp_asset_##symbol[];

#define PAGE "libpsprobe/report/page/"
EMBED(js_format, PAGE "format.js")
EMBED(js_data, PAGE "data.js")
EMBED(js_plots, PAGE "plots.js")
EMBED(js_live, PAGE "live.js")
EMBED(js_page, PAGE "page.js")
EMBED(css_page, PAGE "page.css")
EMBED(js_dygraph, PSP_DYGRAPHS "/dygraph.min.js")
EMBED(css_dygraph, PSP_DYGRAPHS "/dygraph.min.css")

const psp_asset psp_asset_modules[] = {{"format", psp_asset_js_format}, {"data", psp_asset_js_data},
                                       {"plots", psp_asset_js_plots},   {"live", psp_asset_js_live},
                                       {"page", psp_asset_js_page},     {NULL, NULL}};
const psp_asset psp_asset_style = {"page.css", psp_asset_css_page};
const psp_asset psp_asset_dygraph_script = {"dygraph.min.js", psp_asset_js_dygraph};
const psp_asset psp_asset_dygraph_style = {"dygraph.min.css", psp_asset_css_dygraph};
