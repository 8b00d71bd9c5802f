// Reads an ExportProfilesServiceRequest by OpenTelemetry's own generated schema and prints it as protojson; with -encode the
// other way round. A field that the schema does not know is an error: nothing that we write may be one.
package main

import (
	"fmt"
	"io"
	"os"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/profiles/v1development"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func main() {
	output, err := convert(len(os.Args) > 1 && os.Args[1] == "-encode")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Stdout.Write(output)
}

func convert(encode bool) ([]byte, error) {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	request := &collector.ExportProfilesServiceRequest{}
	if encode {
		if err := protojson.Unmarshal(input, request); err != nil {
			return nil, err
		}
		return proto.Marshal(request)
	}
	if err := proto.Unmarshal(input, request); err != nil {
		return nil, err
	}
	if err := protorange.Range(request.ProtoReflect(), refuseUnknown); err != nil {
		return nil, err
	}
	return protojson.Marshal(request)
}

func refuseUnknown(at protopath.Values) error {
	message, ok := at.Index(-1).Value.Interface().(protoreflect.Message)
	if ok && len(message.GetUnknown()) > 0 {
		return fmt.Errorf("%v has fields that the schema does not know", at.Path)
	}
	return nil
}
