// SPDX-License-Identifier: Apache-2.0
// Imported before all others: @lodestar/types with the sizes of the consensus specification's minimal preset.
process.env.LODESTAR_PRESET = 'minimal';
