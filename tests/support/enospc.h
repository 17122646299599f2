/* Controls of the disk that fills up; see enospc.c. */

#ifndef CAIRN_ENOSPC_H
#define CAIRN_ENOSPC_H

/* Bytes by which files may still grow; negative: without end. */
void enospc_allow(long long bytes);
/* Every write and sync of a regular file fails with this errno; 0: no more. */
void enospc_fail(int error);

#endif
