/*
 * exclusions.h: weak places of core that the simulator has found and walks around, so that it can
 * look further. Each is 1 while core has it; set it to 0 and run to see it again. Remove the line
 * together with the weak place.
 */

#ifndef CAIRN_SIM_EXCLUSIONS_H
#define CAIRN_SIM_EXCLUSIONS_H

/* A server that took a bundle in signs a state of more than it covers: whoever follows exactly is
 * told that the server signed another state (CORRUPT). Here no server is given a bundle. */
#define EXCLUDE_BUNDLES_AT_SERVER 0

/* An edit that is written again after a restore names the versions of other logs that it replaces,
 * but not those of the log that it comes from, which it replaced without saying so: they are live
 * again beside it. Here the book forgets them too. */
#define EXCLUDE_REPEAT_OF_OWN_REPLACED 0

/* A device that goes back a second time before what it wrote again was synced cannot take any
 * answer more, once the first original comes back. Here it goes back only when nothing that it
 * wrote again waits. */
#define EXCLUDE_SECOND_RESTORE 0

/* A tail that is abandoned leaves its announcements behind: when its entries come back, the logs
 * that they name are numbered otherwise and they are judged invalid. Here no device goes back while
 * its unsynced tail names a log for the first time. */
#define EXCLUDE_ABANDONED_ANNOUNCEMENTS 0

/* A new device that read a bundle with checkpoints before its first sync does not show its chain
 * of grants, and a server that has not heard of it gives no answer. Here that counts as no answer,
 * until the office has synced. */
#define EXCLUDE_UNKNOWN_WITH_CHECKPOINT 0

/* A device that knows that it was revoked and then goes back shows what it wrote again as in force.
 * Here such a device does not go back. */
#define EXCLUDE_RESTORE_OF_REVOKED 0

/* An adoption takes effect otherwise where the adopted entries arrive after it: states differ.
 * Here the office adopts only at the end of a run, when everybody holds them. */
#define EXCLUDE_ADOPTION_BEFORE_ALL_HOLD_IT 0

/* The mark that is saved after a restore is not synced: a power cut brings the higher one back, and
 * the device begins anew once more. Here the machine syncs it. */
#define EXCLUDE_MARK_AFTER_RESTORE 0

/* A query for a workflow's first state does not find the records of which nobody wrote a step,
 * though cairn_get and cairn_list show that state for them. Here the full look passes them over. */
#define EXCLUDE_UNWRITTEN_STATE_IN_QUERIES 1

#endif
