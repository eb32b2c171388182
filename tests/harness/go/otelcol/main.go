// SPDX-License-Identifier: Apache-2.0

// Otelcol is an OpenTelemetry Collector of the real parts that a test needs: the OTLP receiver and
// the file exporter. It is configured by -config, a URI as the Collector's own program takes it
// (yaml:...).
package main

import (
	"context"
	"flag"
	"log"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

func factories() (otelcol.Factories, error) {
	receivers := map[component.Type]receiver.Factory{}
	exporters := map[component.Type]exporter.Factory{}
	otlp, file := otlpreceiver.NewFactory(), fileexporter.NewFactory()
	receivers[otlp.Type()] = otlp
	exporters[file.Type()] = file
	return otelcol.Factories{
		Receivers: receivers,
		Exporters: exporters,
		Telemetry: otelconftelemetry.NewFactory(),
	}, nil
}

func main() {
	config := flag.String("config", "", "URI of the configuration")
	flag.Parse()
	collector, err := otelcol.NewCollector(otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "otelcol", Version: "0.155.0"},
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				URIs:              []string{*config},
				ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory()},
			},
		},
	})
	if err == nil {
		err = collector.Run(context.Background()) // ends by SIGTERM
	}
	if err != nil {
		log.Fatal("otelcol: ", err)
	}
}
