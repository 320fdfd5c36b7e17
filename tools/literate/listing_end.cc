// SPDX-License-Identifier: Apache-2.0
//
// See listing_begin.cc.

extern char listing_data_end[], listing_bss_end[];
alignas(64) char listing_data_end[64] = {1};
alignas(64) char listing_bss_end[64];
