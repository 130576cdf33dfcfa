/* SPDX-License-Identifier: MIT */
#ifndef SIM_PLANTS_H
#define SIM_PLANTS_H
/** @file Faults that are planted on purpose, to see that worlds find them. */

typedef enum sim_plant {
  SIM_NO_PLANT,
  SIM_MARK_FIRST, /**< a row is marked as uploaded before it is */
  SIM_DROP_LATE,  /**< an answer that comes late is not handed on */
  SIM_OFF_BY_ONE, /**< an answer at the very end of the time-out is late */
  SIM_NO_GROUND,  /**< what changes a document does so whatever became of it meanwhile */
  SIM_PLANTS
} sim_plant;

/** The one in all worlds from now on. */
extern sim_plant sim_planted;

#endif
