#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define EXIT_COULD_NOT 3 /* of both programs */

static void hold(int stream)
{
    if (fcntl(stream, F_GETFD) >= 0 || errno != EBADF)
        return;
    /* Opened the wrong way round: what is read or written there fails. */
    if (open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) != stream)
        _exit(EXIT_COULD_NOT);
}

void streams_hold(void)
{
    /* From the lowest on, as open() gives the lowest number that is free. */
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        hold(stream);
}
