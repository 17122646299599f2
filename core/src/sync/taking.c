#include "taking.h"

#include "parked.h"

static enum cairn_status spoilt_drop(struct cairn_replica *replica, void *context)
{
    return cairn_parked_drop(&replica->ctx, context);
}

enum cairn_status cairn_taking_write(struct cairn_replica *replica, cairn_work_fn *work,
                                     void *context, struct cairn_err *err)
{
    /* Each round drops one of the runs that are parked, so this ends. */
    for (;;) {
        enum cairn_status status = cairn_replica_write(replica, work, context, err);
        if (status == CAIRN_OK || !replica->ctx.has_spoilt)
            return status;
        if (err != NULL)
            err->text[0] = '\0';
        struct cairn_key spoilt = replica->ctx.spoilt;
        CAIRN_TRY(cairn_replica_write(replica, spoilt_drop, &spoilt, err));
    }
}
