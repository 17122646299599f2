/*
 * streams.h: the three standard streams of both programs are there, whoever started them.
 *
 * Effects: file descriptors 0 to 2. Threads: called once, before there are any.
 */

#ifndef CAIRN_STREAMS_H
#define CAIRN_STREAMS_H

/* The first thing in main. The next file that is opened would get the number of a stream that was
 * closed, and an error message would be written into it, be it the store. So each closed stream
 * becomes one that can neither be read nor written, and fails as it did. Where not even that can be
 * had, the program ends with 3. */
void streams_hold(void);

#endif
