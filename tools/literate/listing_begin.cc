// SPDX-License-Identifier: Apache-2.0
//
// Linked before an explored program of a page, as listing_end.cc is behind it:
// linkers keep the order of files within .data and .bss, so the variables
// below enclose those of the program. explore_main.cc resets what is between.

extern char listing_data_begin[], listing_bss_begin[];
alignas(64) char listing_data_begin[64] = {1};
alignas(64) char listing_bss_begin[64];
