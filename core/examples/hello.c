/* A whole program on cairn/replica.h: make a store in the folder given, save a household, show it.
 *   cc hello.c $(pkg-config --cflags --libs cairn) -o hello && ./hello /tmp/hello-store */
#include "cairn/replica.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct cairn_err err = {0};
    struct cairn_replica *replica = NULL;
    const struct cairn_record *record = NULL;
    struct cairn_put_result saved = {0};
    const struct cairn_replica_config config = {.path = argc > 1 ? argv[1] : "hello-store",
                                                .is_writer = true};
    const struct cairn_init root = {.name = "Hello", .root_scope = "51", .root_tag = "R"};
    const struct cairn_field_value fields[] = {{"head", "扎西"}, {"income", "4150"}};
    const struct cairn_put put = {
        .type = "household", .scope = "513332100201", .fields = fields, .field_count = 2};

    enum cairn_status status = cairn_replica_init(&config, &root, &replica, &err);
    if (status == CAIRN_OK)
        status = cairn_put_many(replica, &put, 1, &saved, NULL, &err);
    if (status == CAIRN_OK)
        status = cairn_get(replica, saved.id, &record, &err);
    for (size_t i = 0; status == CAIRN_OK && i < record->field_count; i++)
        printf("%s  %s = %s\n", record->id, record->fields[i].name,
               record->fields[i].versions[0].value);
    if (status != CAIRN_OK)
        fprintf(stderr, "%s: %s\n", cairn_status_name(status), err.text);
    cairn_replica_close(replica);
    return status == CAIRN_OK ? 0 : 1;
}
