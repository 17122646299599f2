/* The schema that a new network begins with: core/schema/registry.yaml, put into the program by
 * the build; declared in schema.h. */

#include "schema_yaml.h"

/* Generated from the file, see core/CMakeLists.txt. */
extern const unsigned char cairn_registry_yaml[];
extern const size_t cairn_registry_yaml_size;

void cairn_schema_default_write(struct cairn_writer *writer)
{
    const struct cairn_bytes yaml = {cairn_registry_yaml, cairn_registry_yaml_size};
    struct cairn_schema_source source;
    size_t problem_count = 0;

    enum cairn_status status =
        cairn_schema_compile(yaml, NULL, NULL, &source, &problem_count, NULL);
    /* The file is ours and a test compiles it; only memory can be short here. */
    CAIRN_ASSERT(problem_count == 0);
    if (status != CAIRN_OK) {
        writer->overflowed = true;
        return;
    }
    source.schema->version = 1;
    cairn_schema_write(writer, source.schema);
    cairn_schema_free(source.schema);
}
